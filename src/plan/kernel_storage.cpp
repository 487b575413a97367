#include "plan/kernel_storage.hpp"

#include "kernels/fft_shape.hpp"

namespace convoy {
namespace {

/// Instructions of a multiprocessor's lanes together, in products; fitted to M1, W1 and columns of 72 to 320 on H200 and
/// H100 (benchmarks/README.md).
constexpr double kInstructionsPerSecond = 1.8e11;
/// Where the device does not tell how many multiprocessors it has: memory a little slower for them than an H100's.
constexpr double kGuessedBytesPerMultiprocessor = 2e10;
/// Of a kernel's element in each sum, and of a frequency.
constexpr double kInstructionsPerTerm = 4.5;
constexpr double kInstructionsPerFrequency = 20;

}  // namespace

TileLayout with_kernel_stored(const TileLayout& whole, Index kernel_extent, const Limits& limits,
                              KernelStorage storage, const CostModel& costs,
                              const std::function<bool(const TileLayout&)>& fits) {
  const Index length = whole.padded[static_cast<std::size_t>(whole.num_axes - 1)];
  if (whole.path != Path::native || storage == KernelStorage::spectrum ||
      !can_transform_kernel(length, kernel_extent, whole.precision, limits)) {
    return whole;
  }
  TileLayout compact = whole;
  compact.kernel_extent = kernel_extent;
  if (storage == KernelStorage::compact || !fits(whole)) return compact;
  // Where double precision is slow, it is slower than memory by far.
  if (whole.precision == Precision::f64) return whole;
  return costs.tile(compact, 0).compute_seconds < costs.tile(whole, 0).compute_seconds ? compact : whole;
}

double seconds_of_kernel_on_the_way(const TileLayout& layout, const Limits& limits, double memory_bytes_per_second) {
  if (layout.kernel_extent == 0) return 0;
  const Index length = layout.padded[static_cast<std::size_t>(layout.num_axes - 1)];
  const auto radices = column_radices(length, ColumnRole::product, layout.precision, limits);
  const double num_columns = static_cast<double>(layout.padded[0] / 2 + 1) *
                             (layout.num_axes == 3 ? static_cast<double>(layout.padded[1]) : 1);
  const double terms = static_cast<double>(length / radices->back() * layout.kernel_extent);
  const double instructions =
      num_columns * (kInstructionsPerTerm * terms + kInstructionsPerFrequency * static_cast<double>(length));
  const double multiprocessors = limits.num_multiprocessors > 0
                                     ? static_cast<double>(limits.num_multiprocessors)
                                     : memory_bytes_per_second / kGuessedBytesPerMultiprocessor;
  return instructions / (multiprocessors * kInstructionsPerSecond);
}

}  // namespace convoy
