#include "planner/filter_storage.hpp"

#include <fmt/format.h>

#include "fft/shape.hpp"

namespace convoy {
namespace {

/// Instructions of a multiprocessor's lanes together, in products; fitted to C1, M1, W1 and columns of 72 to 320 on
/// H200 and H100 (benchmarks/README.md).
constexpr double kInstructionsPerSecond = 1.8e11;
/// Of a kernel's element in each sum, and of a frequency.
constexpr double kInstructionsPerTerm = 4.5;
constexpr double kInstructionsPerFrequency = 20;

}  // namespace

TileLayout with_filter_stored(const TileLayout& whole, bool fits, const std::array<const AxisPlan*, 3>& axes,
                              const Limits& limits, FilterStorage storage, const CostModel& costs) {
  const auto last = static_cast<std::size_t>(whole.num_axes - 1);
  const Index length = whole.padded[last];
  const Index kernel_extent = axes[static_cast<std::size_t>(whole.device_axes[last])]->kernel_size;
  if (whole.path != Path::native || storage == FilterStorage::spectrum) return whole;
  // Double precision may be slower than memory by far; and through Vulkan no case gained (C1 3.3 -> 4.7 ms).
  const bool may_be_faster = whole.precision == Precision::f32 && limits.workgroups_may_wait;
  const bool must_be = storage == FilterStorage::compact || !fits;
  if (!must_be && !may_be_faster) return whole;
  if (!can_transform_kernel(length, kernel_extent, whole.precision, limits)) return whole;
  TileLayout compact = whole;
  compact.kernel_extent = kernel_extent;
  if (must_be) return compact;
  return costs.tile(compact, 0).compute_seconds < costs.tile(whole, 0).compute_seconds ? compact : whole;
}

double seconds_of_kernel_on_the_way(const TileLayout& layout, const Limits& limits) {
  if (layout.kernel_extent == 0 || !limits.workgroups_may_wait) return 0;
  const Index length = layout.padded[static_cast<std::size_t>(layout.num_axes - 1)];
  const auto radices = column_radices(length, ColumnRole::product, layout.precision, limits);
  const double num_columns = static_cast<double>(layout.padded[0] / 2 + 1) *
                             (layout.num_axes == 3 ? static_cast<double>(layout.padded[1]) : 1);
  const double terms = static_cast<double>(length / radices->back() * layout.kernel_extent);
  const double instructions =
      num_columns * (kInstructionsPerTerm * terms + kInstructionsPerFrequency * static_cast<double>(length));
  return instructions / (static_cast<double>(limits.num_multiprocessors) * kInstructionsPerSecond);
}

std::optional<std::string> reason_of_kernel_storage(const TileLayout& layout) {
  if (layout.kernel_extent == 0) return {};
  const auto last = static_cast<std::size_t>(layout.num_axes - 1);
  return fmt::format(
      "the kernel's spectrum is not kept: along {} its {} voxels are transformed to {} frequencies on the way",
      axis_name(layout.device_axes[last]), layout.kernel_extent, layout.padded[last]);
}

}  // namespace convoy
