// Tiles of images that are read and written box by box, while the device and the host's copies work on other tiles.
#pragma once

#include <memory>
#include <vector>

#include "convoy/stream.hpp"
#include "exec/pipeline.hpp"

namespace convoy {

/// `tiles`: the numbers of those that will be asked for, in that order. Reading begins at once.
std::unique_ptr<TileSource> tiles_of_reader(const LoadedPlan& loaded, const ImageReader& reader,
                                            const std::vector<Index>& tiles);
std::unique_ptr<TileSink> tiles_to_writer(const LoadedPlan& loaded, ImageWriter& writer);

/// The numbers of the plan's tiles that the writer does not hold already.
std::vector<Index> missing_tiles(const Plan& plan, const ImageWriter& writer);

}  // namespace convoy
