// Tiles of images that lie in the caller's memory.
#pragma once

#include <memory>

#include "exec/run_tiles.hpp"

namespace convoy {

/// For devices whose plans are like this one but for paths and padding.
std::unique_ptr<RunInput> input_from(const Plan& plan, const ImageView& image);
std::unique_ptr<RunOutput> output_to(const Plan& plan, const MutableImageView& output);

}  // namespace convoy
