#include "planner/filter_storage.hpp"

#include <fmt/format.h>

#include "device_model/device_model.hpp"
#include "fft/shape.hpp"

namespace convoy::inline v0 {
TileLayout with_filter_stored(const TileLayout& whole, bool fits, const std::array<const AxisPlan*, 3>& axes,
                              const Limits& limits, FilterStorage storage, const CostModel& costs) {
  const auto last = static_cast<std::size_t>(whole.num_axes - 1);
  const Index length = whole.padded[last];
  const Index kernel_extent = axes[static_cast<std::size_t>(whole.device_axes[last])]->kernel_size;
  if (whole.path != Path::native || whole.in_one_launch || storage == FilterStorage::spectrum) return whole;
  // Double precision may be slower than memory by far.
  const bool may_be_faster = whole.precision == Precision::f32 && model_of(limits).compact_filter_may_gain;
  const bool must_be = storage == FilterStorage::compact || !fits;
  if (!must_be && !may_be_faster) return whole;
  if (!can_transform_kernel(length, kernel_extent, whole.precision, limits)) return whole;
  TileLayout compact = whole;
  compact.kernel_extent = kernel_extent;
  if (must_be) return compact;
  return costs.tile(compact, 0).compute_seconds < costs.tile(whole, 0).compute_seconds ? compact : whole;
}

double seconds_of_kernel_on_the_way(const TileLayout& layout, const Limits& limits) {
  const DeviceModel& model = model_of(limits);
  if (layout.kernel_extent == 0 || model.instructions_per_second == 0) return 0;
  const Index length = layout.padded[static_cast<std::size_t>(layout.num_axes - 1)];
  const auto radices = column_radices(length, ColumnRole::product, layout.precision, limits);
  const double num_columns = static_cast<double>(layout.padded[0] / 2 + 1) *
                             (layout.num_axes == 3 ? static_cast<double>(layout.padded[1]) : 1);
  const double terms = static_cast<double>(length / radices->back() * layout.kernel_extent);
  const double instructions = num_columns * (model.instructions_per_term * terms +
                                             model.instructions_per_frequency * static_cast<double>(length));
  return instructions / (static_cast<double>(limits.num_multiprocessors) * model.instructions_per_second);
}

std::optional<std::string> reason_of_kernel_storage(const TileLayout& layout) {
  if (layout.kernel_extent == 0) return {};
  const auto last = static_cast<std::size_t>(layout.num_axes - 1);
  return fmt::format(
      "the kernel's spectrum is not kept: along {} its {} voxels are transformed to {} frequencies on the way",
      axis_name(layout.device_axes[last]), layout.kernel_extent, layout.padded[last]);
}

}  // namespace convoy::inline v0
