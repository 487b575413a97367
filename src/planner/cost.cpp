#include "planner/cost.hpp"

#include <algorithm>

#include "fft/plane_shape.hpp"
#include "planner/filter_storage.hpp"
#include "planner/lengths.hpp"

namespace convoy {
namespace {

constexpr double kGuessedMemoryRate = 1e12;
constexpr double kGuessedTransferRate = 2e10;
constexpr double kGuessedCpuMemoryRate = 2e10;
/// Queueing, synchronising and the executor's bookkeeping.
constexpr double kTileOverheadSeconds = 50e-6;
/// Queueing, and passes that begin and end: a tile of device arrays waits for no copy.
constexpr double kResidentTileOverheadSeconds = 13e-6;

/// A piece of a transfer that the caller's memory does not continue costs as much as so many bytes more; a guess.
constexpr double kBytesPerHostRun = 1024;

/// How much longer than its bytes at the streaming rate a pass takes; measured on volumes of 512^3 voxels.
constexpr double kContiguousPass = 1.3;
constexpr double kStridedPass = 1.7;
constexpr double kProductPass = 2.2;
/// How much longer than with the whole spectrum products with a compact kernel take on devices that report nothing of
/// their multiprocessors (H100 through Vulkan: 1.3 to 2).
constexpr double kUntoldOnTheWay = 1.5;
/// Rows and columns in one launch, of which only the image and the columns' side go through memory (H100: 1.5 to 1.7).
constexpr double kPlanePass = 1.6;
/// Odd rows of reals are packed less well.
constexpr double kOddRow = 1.1;
/// Long rows fill the shared memory, and only powers of two do that well, unless convoy's own passes do it.
constexpr double kLongRow = 1.5;
constexpr Index kLongRowLength = 4096;
/// What work and spectrum of planes cost when the device's cache holds both, whole (larger tiles, which fit because the
/// kernel is compact, gain nothing: P2 in 7 0.89, in 12 0.74 ms). Tiles of volumes gain nothing: halos in three
/// directions cost what the cache saves (H200, 64x2048x2048: 65 tiles 3.9 ms, the whole 3.7).
constexpr double kCached = 0.4;
constexpr double kUsableCache = 0.85;
/// Columns, 64 bytes of them side by side, of which a multiprocessor holds one group only; a cache is no help to them.
constexpr double kLoneColumns = 1.1;
constexpr double kColumnBytes = 64;

struct Pass {
  double bytes;
  double slowdown;
};

}  // namespace

CostModel::CostModel(const Limits& limits, bool resident)
    : limits_(limits),
      predicts_(limits.memory_bytes_per_second > 0),
      memory_bytes_per_second_(limits.memory_bytes_per_second),
      transfer_seconds_per_byte_(0),
      overhead_seconds_(resident ? kResidentTileOverheadSeconds : kTileOverheadSeconds),
      gpu_(limits.shared_memory_bytes > 0),
      resident_(resident) {
  if (!predicts_) memory_bytes_per_second_ = gpu_ ? kGuessedMemoryRate : kGuessedCpuMemoryRate;
  if (resident) return;
  if (limits.transfer_bytes_per_second > 0) transfer_seconds_per_byte_ = 1 / limits.transfer_bytes_per_second;
  if (limits.transfer_bytes_per_second <= 0 && gpu_) transfer_seconds_per_byte_ = 1 / kGuessedTransferRate;
}

TileCost CostModel::chosen_tile(const TileLayout& layout, double downloaded) const {
  const bool native = layout.path == Path::native;
  return tile(layout, downloaded, native && fused_planes_profitable(layout, limits_));
}

TileCost CostModel::tile(const TileLayout& layout, double downloaded, bool meets_in_cache) const {
  const auto& [p0, p1, p2] = layout.padded;
  const double real = static_cast<double>(real_bytes(layout.precision));
  const double batch = static_cast<double>(layout.batch);
  const double voxels = batch * static_cast<double>(layout.extent[0]) * static_cast<double>(layout.extent[1]) *
                        static_cast<double>(layout.extent[2]);
  // The gap that aligns rows is not read; the staged path transforms it along.
  const Index row_length = layout.path == Path::staged ? layout.row_pitch : p0 / 2 + 1;
  const double row = 2 * real * static_cast<double>(row_length);
  const double unpadded = batch * row * static_cast<double>(layout.extent[1]) * static_cast<double>(layout.extent[2]);
  const double half_padded = batch * row * static_cast<double>(p1) * static_cast<double>(layout.extent[2]);
  const double padded = row * static_cast<double>(p1) * static_cast<double>(p2);

  const bool volume = layout.num_axes == 3;
  const Index last = volume ? p2 : p1;
  const double stored = static_cast<double>(layout.kernel_extent > 0 ? layout.kernel_extent : last);
  const double spectrum = padded / static_cast<double>(last) * stored;
  const double work = volume ? half_padded : unpadded;
  const double in_cache =
      (!volume || layout.batch > 1) && work + padded <= kUsableCache * static_cast<double>(limits_.cache_bytes)
          ? kCached
          : 1;
  const bool native = layout.path == Path::native;
  const auto of_columns = [&](Index length) {
    const bool alone =
        native && 2 * kColumnBytes * static_cast<double>(length) > static_cast<double>(limits_.shared_memory_bytes);
    return length_weight(length) * (alone ? kLoneColumns : in_cache);
  };
  const double contiguous = kContiguousPass * length_weight(p0) * (p0 % 2 == 1 && p0 > 1 ? kOddRow : 1) *
                            (gpu_ && !native && p0 > kLongRowLength && (p0 & (p0 - 1)) != 0 ? kLongRow : 1);
  const Pass image{2 * real * voxels, meets_in_cache ? kPlanePass : contiguous};
  const Pass rows{meets_in_cache ? 0 : 2 * unpadded, contiguous * in_cache};
  const Pass middle{!volume          ? 0
                    : meets_in_cache ? 2 * half_padded
                                     : 2 * (unpadded + half_padded),
                    (meets_in_cache ? kPlanePass : kStridedPass) * of_columns(p1)};
  Pass product{2 * work + spectrum, kProductPass * of_columns(last)};
  if (layout.kernel_extent > 0 && !limits_.workgroups_may_wait) {
    product.slowdown *= kUntoldOnTheWay * (2 * work + padded) / product.bytes;
  }
  const Pass staging{layout.path == Path::staged ? 4 * batch * padded : 0, kStridedPass * length_weight(last)};
  const Pass copies{resident_ && !layout.reads_arrays ? 2 * real * (voxels + downloaded) : 0, 1};

  TileCost cost;
  double streamed_bytes = 0;
  for (const Pass& pass : {image, rows, middle, product, staging, copies}) {
    cost.traffic_bytes += pass.bytes;
    streamed_bytes += pass.bytes * pass.slowdown;
  }
  if (transfer_seconds_per_byte_ > 0) cost.transfer_bytes = real * (voxels + downloaded);
  const double transfer_seconds_per_byte =
      transfer_seconds_per_byte_ * (1 + kBytesPerHostRun / (real * static_cast<double>(layout.host_run)));
  cost.upload_seconds = real * voxels * transfer_seconds_per_byte;
  cost.compute_seconds = streamed_bytes / memory_bytes_per_second_ + overhead_seconds_ +
                         kProductPass * seconds_of_kernel_on_the_way(layout, limits_);
  cost.download_seconds = real * downloaded * transfer_seconds_per_byte;
  return cost;
}

double run_seconds(const TileCost& tile, Index num_tiles, int num_in_flight) {
  const double slowest = std::max({tile.upload_seconds, tile.compute_seconds, tile.download_seconds});
  const double period = std::max(slowest, tile.seconds() / num_in_flight);
  return tile.seconds() + static_cast<double>(num_tiles - 1) * period;
}

double run_seconds(const Plan& plan) {
  const TileLayout layout = layout_of(plan);
  double downloaded = static_cast<double>(layout.batch) * static_cast<double>(layout.extent[0]);
  for (int d = 1; d < 3; ++d) {
    const int axis = plan.device_axes[static_cast<std::size_t>(d)];
    downloaded *= static_cast<double>(plan.axes[static_cast<std::size_t>(axis)].tile_output);
  }
  const TileCost cost = CostModel(plan.limits, plan.resident).chosen_tile(layout, downloaded);
  return run_seconds(cost, plan.num_batches(), plan.num_in_flight);
}

}  // namespace convoy
