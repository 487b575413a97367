// Tiles of images that lie in the caller's memory.
#pragma once

#include <memory>

#include "backends/backend.hpp"
#include "exec/pipeline.hpp"

namespace convoy {

std::unique_ptr<TileSource> tiles_of_image(const LoadedPlan& loaded, const backend::Device& device,
                                           const ImageView& image);
std::unique_ptr<TileSink> tiles_to_output(const LoadedPlan& loaded, const backend::Device& device,
                                          const MutableImageView& output);

}  // namespace convoy
