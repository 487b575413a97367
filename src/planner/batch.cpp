#include "planner/batch.hpp"

#include <algorithm>

#include "device_model/device_model.hpp"
#include "planner/ceilings.hpp"

namespace convoy {
namespace {

Index batch_in_cache(const TileLayout& tile, const Limits& limits) {
  const DeviceModel& model = model_of(limits);
  const double room = limits.cache_bytes > 0 ? model.batch_share_of_cache * static_cast<double>(limits.cache_bytes) -
                                                   static_cast<double>(tile.spectrum_bytes())
                                             : model.batch_bytes;
  return std::max<Index>(1, static_cast<Index>(room / static_cast<double>(tile.all_work_bytes())));
}

/// The columns of the product's passes are launched tile by tile along one axis of the grid.
Index batch_in_grid(const TileLayout& tile, const Limits& limits) {
  const Index groups_of_tile = tile.num_axes == 3 ? tile.padded[1] : 1;
  return std::max<Index>(1, static_cast<Index>(limits.max_groups[0]) / groups_of_tile);
}

Index even_batch(Index num_tiles, Index most) {
  const Index num_batches = (num_tiles + most - 1) / most;
  return (num_tiles + num_batches - 1) / num_batches;
}

/// Batches of several kernels end where the image does.
Index dividing_batch(Index num_tiles, Index most) {
  Index batch = std::min(most, num_tiles);
  while (num_tiles % batch != 0) --batch;
  return batch;
}

}  // namespace

TileLayout in_batches(const TileLayout& tile, Index num_tiles, const Limits& limits, std::uint64_t budget_bytes) {
  if (!tile.reads_arrays || num_tiles == 1) return tile;
  TileLayout batched = tile;
  batched.batch = num_tiles;
  // One launch, which leaves nothing behind.
  if (tile.in_one_launch || sums_directly(tile.path)) return batched;
  Index most = std::min({num_tiles, batch_in_cache(tile, limits), batch_in_grid(tile, limits)});
  for (; most > 1; most /= 2) {
    batched.batch = tile.fan.is_single() ? even_batch(num_tiles, most) : dividing_batch(num_tiles, most);
    if (footprint_bytes(batched, limits, 1) <= budget_bytes && !broken_ceiling(batched, limits)) return batched;
  }
  return tile;
}

}  // namespace convoy
