// Tiles of images that are read and written box by box, while the device and the host's copies work on other tiles.
#pragma once

#include <memory>

#include "convoy/stream.hpp"
#include "engine/run_tiles.hpp"

namespace convoy {

/// For devices whose plans are like this one but for paths and padding.
std::unique_ptr<RunInput> input_from(const Plan& plan, const ImageReader& reader, const VoxelRules& rules);
std::unique_ptr<RunOutput> output_to(const Plan& plan, ImageWriter& writer);

/// The plan's tiles, but for those that the writer holds already. Plan and writer must live as long.
RunTiles missing_tiles(const Plan& plan, const ImageWriter& writer);

}  // namespace convoy
