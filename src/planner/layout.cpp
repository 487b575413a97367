#include "planner/layout.hpp"

#include <algorithm>

#include "direct/sum_shape.hpp"
#include "fft/plane_shape.hpp"
#include "fft/tile_shape.hpp"
#include "planner/axis.hpp"
#include "planner/lengths.hpp"

namespace convoy::inline v0 {
namespace {

/// a.padded / a.extent > b.padded / b.extent
bool stretched_more(const AxisPlan& a, const AxisPlan& b) {
  return static_cast<double>(a.padded) * static_cast<double>(b.extent) >
         static_cast<double>(b.padded) * static_cast<double>(a.extent);
}

/// Up to the first axis that is split, or that does not follow in memory as it does in the image.
Index host_run_of(const std::array<const AxisPlan*, 3>& axes, const std::array<int, 3>& device_axes) {
  Index run = 1;
  int next = 2;
  for (const int axis : device_axes) {
    while (next > axis && axes[static_cast<std::size_t>(next)]->image == 1) --next;
    if (axis != next) break;
    const AxisPlan& plan = *axes[static_cast<std::size_t>(axis)];
    run *= std::min(plan.tile_input, plan.image);
    if (plan.num_tiles > 1 || next == 0) break;
    --next;
  }
  return run;
}

/// Whether the path's first launch can read the caller's array, and its last one write it.
bool can_read_arrays(const TileLayout& tile, const Limits& limits) {
  if (tile.fan.weighs) return false;
  if (sums_directly(tile.path)) return tile.fan.is_single() && sum_shape(tile, limits).has_value();
  return tile.path == Path::native;
}

/// Lines always are, tiles of planes where a workgroup's memory holds them; what is added up needs buffers.
bool can_be_one_launch(const TileLayout& tile, const Limits& limits) {
  if (tile.path != Path::native || !tile.reads_arrays || tile.num_axes > 2) return false;
  if (tile.num_axes == 1) return true;
  return tile.fan.kind != KernelFan::Kind::gather && tile_shape(tile.padded, tile.precision, limits).has_value();
}

}  // namespace

TileLayout tile_layout(const std::array<const AxisPlan*, 3>& axes, Precision precision, Path path,
                       const FftTuning& tuning) {
  TileLayout tile;
  tile.precision = precision;
  tile.path = path;
  int filled = 0;
  for (int axis = 2; axis >= 0; --axis) {
    if (axes[axis]->padded > 1) tile.device_axes[filled++] = axis;
  }
  tile.num_axes = std::max(filled, 1);
  for (int axis = 2; axis >= 0; --axis) {
    if (axes[axis]->padded == 1) tile.device_axes[filled++] = axis;
  }
  if (tile.num_axes == 3 &&
      stretched_more(*axes[tile.device_axes[1]], *axes[tile.device_axes[2]]) != tuning.swap_strided_axes) {
    std::swap(tile.device_axes[1], tile.device_axes[2]);
  }
  for (int d = 0; d < 3; ++d) {
    tile.extent[d] = axes[tile.device_axes[d]]->extent;
    tile.padded[d] = axes[tile.device_axes[d]]->padded;
  }
  tile.host_run = host_run_of(axes, tile.device_axes);
  if (sums_directly(path)) {
    for (int d = 0; d < 3; ++d) tile.kernel[d] = axes[tile.device_axes[d]]->kernel_size;
    tile.row_pitch = tile.extent[0];
    return tile;
  }
  const Index row = tile.padded[0] / 2 + 1;
  // Alignment may cost an eighth of the memory at most.
  const Index alignment = std::max<Index>(tuning.pitch_alignment, 1);
  const Index aligned = (row + alignment - 1) / alignment * alignment;
  const Index fused = aligned - row <= row / 8 ? aligned : row;
  tile.row_pitch = path == Path::staged   ? next_smooth(row)
                   : path == Path::native ? blocked_columns(row, precision)
                                          : fused;
  return tile;
}

TileLayout allowed_layout(const std::array<const AxisPlan*, 3>& axes, Precision precision, bool passes_arrays,
                          const Limits& limits, const PlanOptions& options, const FftTuning& tuning,
                          const KernelFan& fan) {
  const auto layout = [&](Path path) {
    TileLayout tile = tile_layout(axes, precision, path, tuning);
    tile.fan = fan;
    if (path == Path::separable) tile.num_terms = options.separable_terms.value_or(1);
    tile.reads_arrays = passes_arrays && can_read_arrays(tile, limits);
    tile.in_one_launch = can_be_one_launch(tile, limits);
    if (tile.in_one_launch) tile.row_pitch = tile.padded[0];
    return tile;
  };
  if (options.path) return layout(*options.path);
  const TileLayout native = layout(Path::native);
  if (has_path(native, limits)) return native;
  const TileLayout fused = layout(Path::fused);
  return has_path(fused, limits) ? fused : layout(Path::staged);
}

bool fan_forbids_path(const TileLayout& tile, const Limits& limits) {
  if (tile.fan.is_single() || tile.fan.kind == KernelFan::Kind::each) return false;
  // VkFFT's fused convolution is one launch after the other for each kernel; the host's is convoy's own.
  if (tile.path == Path::fused) return limits.shared_memory_bytes > 0;
  // Lines are read, convolved and written in one launch: what would be added up has no buffer.
  return tile.path == Path::native && tile.num_axes == 1 && tile.fan.kind == KernelFan::Kind::gather;
}

TileLayout with_fan(TileLayout tile, const ConvolutionSpec& spec, bool resident) {
  const KernelFan fan = kernel_fan(spec);
  tile.fan = fan;
  if (resident && knows_missing(spec)) tile.weights_bytes = saturating_product(2, tile.image_bytes());
  if (fan.is_single()) return tile;
  const bool sums = sums_directly(tile.path);
  const bool in_parts = fan.kind != KernelFan::Kind::each && !tile.in_one_launch;
  tile.num_spectra = fan.num;
  if (!sums && in_parts) tile.num_works = 2;
  tile = with_kernels_at_once(tile, tile.kernels_at_once);
  if (!resident) {
    tile.num_images = sums ? fan.num_inputs() : fan.num;
    tile.num_results = sums ? fan.num_outputs() : 1;
  }
  if (resident && fan.weighs) {
    const Shape shape = weights_shape(spec);
    std::uint64_t weights = saturating_product(tile.real_bytes(), static_cast<std::uint64_t>(fan.num));
    for (int axis = 0; axis < 3; ++axis) weights = saturating_product(weights, static_cast<std::uint64_t>(shape[axis]));
    tile.weights_bytes = saturating_sum(weights, saturating_product(2, tile.image_bytes()));
  }
  return tile;
}

TileLayout with_kernels_at_once(TileLayout tile, Index kernels_at_once) {
  if (tile.fan.is_single() || !tile.reads_arrays) return tile;
  tile.kernels_at_once = kernels_at_once;
  if (!tile.in_one_launch) tile.num_works = kernels_at_once + (tile.fan.kind == KernelFan::Kind::each ? 0 : 1);
  return tile;
}

bool has_path(const TileLayout& tile, const Limits& limits) {
  if (fan_forbids_path(tile, limits)) return false;
  if (tile.path != Path::native) return true;
  if (tile.num_axes == 1) return tile.reads_arrays && line_shape(tile.padded[0], tile.precision, limits).has_value();
  return has_native_passes(tile.num_axes, tile.padded, tile.precision, limits);
}

TileLayout layout_of(const Plan& plan) {
  TileLayout tile;
  tile.precision = plan.spec.precision;
  tile.path = plan.path;
  tile.num_axes = plan.num_transforms;
  tile.device_axes = plan.device_axes;
  tile.batch = plan.batch;
  tile.row_pitch = plan.row_pitch;
  tile.tuning = plan.tuning;
  tile.kernel_extent = plan.kernel_extent;
  if (plan.kernel_extent > 0) {
    const int last = plan.device_axes[static_cast<std::size_t>(plan.num_transforms - 1)];
    tile.kernel_place = place_of_kernel(plan.axes[static_cast<std::size_t>(last)]);
  }
  tile.host_run = host_run_of({&plan.axes[0], &plan.axes[1], &plan.axes[2]}, plan.device_axes);
  for (std::size_t d = 0; d < 3; ++d) {
    const AxisPlan& axis = plan.axes[static_cast<std::size_t>(plan.device_axes[d])];
    tile.extent[d] = axis.extent;
    tile.padded[d] = axis.padded;
    if (sums_directly(plan.path)) tile.kernel[d] = axis.kernel_size;
  }
  tile.num_terms = plan.separable_terms;
  tile.fan = kernel_fan(plan.spec);
  tile.kernels_at_once = plan.kernels_at_once;
  tile.reads_arrays = passes_arrays(plan.resident, plan.spec) && can_read_arrays(tile, plan.limits);
  tile.in_one_launch = can_be_one_launch(tile, plan.limits);
  return with_fan(tile, plan.spec, plan.resident);
}

bool passes_arrays(bool resident, const ConvolutionSpec& spec) {
  return resident && !folds_output(spec) && !knows_missing(spec);
}

bool knows_missing(const ConvolutionSpec& spec) {
  return spec.preserve_nan || spec.non_finite == NonFinite::interpolate;
}

Index place_of_kernel(const AxisPlan& axis) {
  const Index place = (axis.kernel_begin - axis.kernel_delta) % axis.padded;
  return place < 0 ? place + axis.padded : place;
}

namespace {

/// Of launches forth and back.
std::uint64_t all_plane_counters_bytes(const TileLayout& tile, const Limits& limits) {
  const auto of_tiles = [&](bool of_all_kernels) {
    FftGeometry geometry = tile;
    if (of_all_kernels) geometry.batch *= tile.kernels_at_once;
    return plane_counters_bytes(geometry, limits);
  };
  const std::uint64_t in = of_tiles(has_tiles_in(tile.fan.kind));
  const std::uint64_t out = of_tiles(has_tiles_out(tile.fan.kind));
  return in == out ? in : in + out;
}

}  // namespace

std::uint64_t table_bytes(const TileLayout& tile, const Limits& limits) {
  if (limits.shared_memory_bytes == 0 || sums_directly(tile.path)) return 0;
  std::uint64_t bytes = 0;
  for (int d = 0; d < tile.num_axes; ++d) {
    const Index length = tile.padded[d];
    const Index elements = tile.path == Path::native ? pass_table_length(length) : 2 * length;
    bytes =
        saturating_sum(bytes, saturating_product(complex_bytes(tile.precision), static_cast<std::uint64_t>(elements)));
  }
  if (tile.path == Path::native) bytes += all_plane_counters_bytes(tile, limits);
  return bytes;
}

bool has_lanes(const Limits& limits) { return limits.num_host_threads > 1; }

std::uint64_t footprint_bytes(const TileLayout& tile, const Limits& limits, int num_in_flight) {
  const auto sets = static_cast<std::uint64_t>(num_in_flight);
  const std::uint64_t images =
      saturating_product(saturating_sum(tile.all_images_bytes(), tile.all_results_bytes()), sets);
  const std::uint64_t work = saturating_product(tile.all_work_bytes(), has_lanes(limits) ? sets : 1);
  const std::uint64_t kernels = saturating_sum(tile.all_spectra_bytes(), tile.weights_bytes);
  return saturating_sum(saturating_sum(images, work), saturating_sum(kernels, table_bytes(tile, limits)));
}

}  // namespace convoy::inline v0
