// Tiles of images that lie in the caller's memory.
#pragma once

#include <memory>

#include "engine/run_tiles.hpp"

namespace convoy {

/// For devices whose plans are like this one but for paths and padding. `sums`: as ConvolverOptions::sums; without,
/// memory that is used in place is looked through only when an output holds NaN or infinity.
std::unique_ptr<RunInput> input_from(const Plan& plan, const ImageView& image, const VoxelRules& rules, bool sums);
std::unique_ptr<RunOutput> output_to(const Plan& plan, const MutableImageView& output, bool sums);

}  // namespace convoy
