#include "fft/tile_shape.hpp"

#include <algorithm>
#include <limits>

#include "device_model/common.hpp"
#include "device_model/device_model.hpp"
#include "fft/plan.hpp"

namespace convoy {
namespace {

/// Work of all stages, in butterflies of threads that are busy or wait for those that are, each weighed by its radix.
Index work_with(const TileShape& shape, Index threads) {
  Index work = 0;
  for (std::size_t axis = 0; axis < 2; ++axis) {
    for (const Index radix : shape.radices[axis]) {
      const Index butterflies = shape.length[0] * shape.length[1] / radix;
      work += ceil_divided(butterflies, threads) * threads * radix;
    }
  }
  return work;
}

}  // namespace

std::optional<TileShape> tile_shape(const std::array<Index, 3>& padded, Precision precision, const Limits& limits) {
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
  const Index most = std::clamp(device_model::kTileThreads / shape.groups, device_model::kLeastTileThreads,
                                device_model::kMostTileThreads);
  Index least_work = std::numeric_limits<Index>::max();
  for (Index threads = most; threads >= std::max(most * 2 / 3, device_model::kWarp); threads -= device_model::kWarp) {
    const Index work = work_with(shape, threads);
    if (work >= least_work) continue;
    least_work = work;
    shape.threads = threads;
  }
  return shape;
}

}  // namespace convoy
