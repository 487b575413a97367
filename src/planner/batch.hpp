// Tiles of one shape, and kernels, that one sequence of launches convolves.
#pragma once

#include "planner/layout.hpp"

namespace convoy::inline v0 {

/// The layout with as many tiles in a batch as pay: what a pass leaves for the next one is then found in the device's
/// last cache, and launches are few; and as many kernels at once. 1 where tiles are not read from the caller's arrays,
/// or fill the cache alone. Batches of a run are equally large; what does not fit budget or device is not taken.
TileLayout in_batches(const TileLayout& tile, Index num_tiles, const Limits& limits, std::uint64_t budget_bytes);

}  // namespace convoy::inline v0
