#include "planner/batch.hpp"

#include <algorithm>

#include "device_model/device_model.hpp"
#include "fft/shape.hpp"
#include "planner/ceilings.hpp"

namespace convoy::inline v0 {
namespace {

Index batch_in_cache(const TileLayout& tile, const Limits& limits) {
  const DeviceModel& model = model_of(limits);
  const double room = limits.cache_bytes > 0 ? model.batch_share_of_cache * static_cast<double>(limits.cache_bytes) -
                                                   static_cast<double>(tile.spectrum_bytes())
                                             : model.batch_bytes;
  return std::max<Index>(1, static_cast<Index>(room / static_cast<double>(tile.work_bytes())));
}

/// The columns of the product's passes are launched tile by tile along one axis of the grid; kernels, when their
/// spectra are made, along theirs.
Index batch_in_grid(const TileLayout& tile, const Limits& limits) {
  const Index groups_of_tile = tile.num_axes < 3      ? 1
                               : tile.fan.is_single() ? tile.padded[1]
                                                      : std::max(tile.padded[1], tile.padded[2]);
  return std::max<Index>(1, static_cast<Index>(limits.max_groups[0]) / groups_of_tile);
}

/// Parts of like size, none of them larger than `most`.
Index even_part(Index all, Index most) { return ceil_divided(all, ceil_divided(all, most)); }

/// Of `most` tiles in work and product together, those of as many kernels as there are come first.
TileLayout batched(TileLayout tile, Index num_tiles, Index most) {
  if (tile.fan.is_single()) {
    tile.batch = even_part(num_tiles, most);
    return tile;
  }
  const Index others = tile.fan.kind == KernelFan::Kind::each ? 0 : 1;
  const Index kernels = even_part(tile.fan.num, std::clamp<Index>(most - others, 1, tile.fan.num));
  tile.batch = even_part(num_tiles, std::clamp<Index>(most / (kernels + others), 1, num_tiles));
  return with_kernels_at_once(tile, kernels);
}

}  // namespace

TileLayout in_batches(const TileLayout& tile, Index num_tiles, const Limits& limits, std::uint64_t budget_bytes) {
  const Index kernels = tile.fan.num;
  if (!tile.reads_arrays || num_tiles * kernels == 1) return tile;
  // One launch, which leaves nothing behind.
  if (tile.in_one_launch || sums_directly(tile.path)) {
    TileLayout all = tile;
    all.batch = num_tiles;
    for (Index most = kernels; most > 1; most /= 2) {
      const TileLayout batch = with_kernels_at_once(all, even_part(kernels, most));
      if (!broken_ceiling(batch, limits)) return batch;
    }
    return all;
  }
  Index most = std::min({num_tiles * (kernels + 1), batch_in_cache(tile, limits), batch_in_grid(tile, limits)});
  for (; most > 1; most /= 2) {
    const TileLayout batch = batched(tile, num_tiles, most);
    if (footprint_bytes(batch, limits, 1) <= budget_bytes && !broken_ceiling(batch, limits)) return batch;
  }
  return tile;
}

}  // namespace convoy::inline v0
