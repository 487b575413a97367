#include "fft/tile_shape.hpp"

#include <algorithm>
#include <limits>

#include "device_model/common.hpp"
#include "device_model/device_model.hpp"
#include "fft/plan.hpp"

namespace convoy::inline v0 {
namespace {

/// Rounds that so many threads take for all stages, each weighed by its radix.
Index rounds_with(const TileShape& shape, Index threads) {
  Index rounds = 0;
  for (std::size_t axis = 0; axis < 2; ++axis) {
    for (const Index radix : shape.radices[axis]) {
      rounds += ceil_divided(shape.length[0] * shape.length[1] / radix, threads) * radix;
    }
  }
  return rounds;
}

}  // namespace

std::optional<TileShape> tile_shape(const std::array<Index, 3>& padded, Precision precision, const Limits& limits,
                                    std::uint64_t aim_threads) {
  if (limits.shared_memory_bytes == 0 || padded[2] > 1) return {};
  TileShape shape;
  for (std::size_t axis = 0; axis < 2; ++axis) {
    // Rising: neighbouring threads then read the longest runs of a row.
    auto radices = radices_of(padded[axis]);
    if (!radices || radices->empty()) return {};
    shape.length[axis] = padded[axis];
    shape.radices[axis] = std::move(*radices);
  }
  shape.pitch = padded[0] | 1;
  if (padded[0] > device_model::kLongestOfTile || padded[1] > device_model::kLongestOfTile) return {};
  const std::uint64_t bytes = static_cast<std::uint64_t>(shape.num_shared()) * complex_size(precision);
  if (bytes > limits.shared_memory_bytes) return {};
  shape.groups = std::min(static_cast<Index>(limits.shared_memory_bytes / bytes), device_model::kMostTilesBeside);
  if (aim_threads > 0) {
    shape.threads = static_cast<Index>(std::min<std::uint64_t>(aim_threads, 1024));
    return shape;
  }
  const Index most = shape.groups == 1
                         ? device_model::kLoneTileThreads
                         : std::min(device_model::kTileThreads, device_model::kAllTileThreads / shape.groups);
  Index fewest_rounds = std::numeric_limits<Index>::max();
  for (Index threads = most / 3 * 2 / device_model::kWarp * device_model::kWarp; threads <= most;
       threads += device_model::kWarp) {
    const Index rounds = rounds_with(shape, threads);
    if (rounds >= fewest_rounds) continue;
    fewest_rounds = rounds;
    shape.threads = threads;
  }
  return shape;
}

}  // namespace convoy::inline v0
