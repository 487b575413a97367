#include "planner/reasons.hpp"

#include <fmt/format.h>

#include "fft/plane_shape.hpp"
#include "planner/filter_storage.hpp"

namespace convoy::inline v0 {
namespace {

std::string why_not_whole(const SearchResult& search, const PlanOptions& options, const Budget& budget) {
  const WholeImage& whole = search.whole;
  if (options.tile_output) return fmt::format("{} devices share them", options.num_devices);
  if (whole.too_long_axis >= 0) {
    return fmt::format("axis {} is longer than this device transforms at once", axis_name(whole.too_long_axis));
  }
  if (whole.broken_ceiling) {
    return fmt::format("unsplit needs {} for its {}, limit {} ({})", bytes_to_text(whole.broken_ceiling->slot_bytes),
                       whole.broken_ceiling->slot_name, bytes_to_text(whole.broken_ceiling->limit_bytes),
                       whole.broken_ceiling->limit_name);
  }
  if (whole.smallest_footprint_bytes > budget.bytes) {
    return fmt::format("unsplit needs {}, budget {} ({})", bytes_to_text(whole.smallest_footprint_bytes),
                       bytes_to_text(budget.bytes), budget.limit_name);
  }
  const std::uint64_t host_limit_bytes =
      options.host_memory_limit_bytes / static_cast<std::uint64_t>(options.num_devices);
  if (host_limit_bytes > 0 && whole.smallest_host_bytes > host_limit_bytes) {
    return fmt::format("unsplit needs {} of host memory, limit {}", bytes_to_text(whole.smallest_host_bytes),
                       bytes_to_text(host_limit_bytes));
  }
  if (options.num_devices > 1) return fmt::format("{} devices share them", options.num_devices);
  if (options.min_tiles > 1) return fmt::format("at least {} were asked for", options.min_tiles);
  if (search.chosen.cost.side_by_side > 1) {
    return fmt::format(
        "unsplit would take {:.0f} % longer: threads would share it, and less would stay in their caches",
        100 * (search.whole.seconds / search.chosen.seconds() - 1));
  }
  if (search.chosen.num_in_flight > 1) {
    return fmt::format("unsplit would take {:.0f} % longer, for nothing would be transferred beside the computing",
                       100 * (search.whole.seconds / search.chosen.seconds() - 1));
  }
  if (sums_directly(search.chosen.layout.path)) {
    return fmt::format("unsplit would take {:.0f} % longer",
                       100 * (search.whole.seconds / search.chosen.seconds() - 1));
  }
  return fmt::format("unsplit would take {:.0f} % longer for its longer or less convenient transforms",
                     100 * (search.whole.seconds / search.chosen.seconds() - 1));
}

std::string tiles_reason(const Plan& plan, const SearchResult& search, const PlanOptions& options,
                         const Budget& budget) {
  if (plan.num_tiles() > 1) {
    return fmt::format("{} tiles ({}x{}x{} zyx): {}", plan.num_tiles(), plan.axes[0].num_tiles, plan.axes[1].num_tiles,
                       plan.axes[2].num_tiles, why_not_whole(search, options, budget));
  }
  if (budget.bytes == UINT64_MAX) return "one tile: nothing limits the memory";
  return fmt::format("one tile: {} fit the budget of {} ({})", bytes_to_text(plan.footprint_bytes),
                     bytes_to_text(budget.bytes), budget.limit_name);
}

std::string padding_reason(const AxisPlan& plan, char axis) {
  if (plan.periodic) {
    return fmt::format("{}: the transform repeats as the image does, so {} = {} needs no padding", axis, plan.padded,
                       factors_to_text(plan.padded));
  }
  const Index required = required_period(plan);
  std::string text =
      fmt::format("{}: {} = {} for at least {}", axis, plan.padded, factors_to_text(plan.padded), required);
  const Index smallest = next_smooth(required);
  if (smallest < plan.padded) text += fmt::format("; {} = {} would be slower", smallest, factors_to_text(smallest));
  return text;
}

void add_kernel_reasons(const AxisPlan& plan, char axis, std::vector<std::string>& reasons) {
  if (plan.fold_kernel) {
    reasons.push_back(
        fmt::format("{}: the kernel's {} voxels are added up modulo the image's {}", axis, plan.kernel, plan.image));
  } else if (plan.kernel_size < plan.kernel) {
    reasons.push_back(
        fmt::format("{}: only {} of the kernel's {} voxels can reach the output", axis, plan.kernel_size, plan.kernel));
  }
}

/// What would spare most of the time.
void add_memory_reason(const SearchResult& search, const Budget& budget, std::vector<std::string>& reasons) {
  if (!search.fast_with) return;
  const double times = search.chosen.seconds() / search.fast_with->seconds;
  reasons.push_back(fmt::format(
      "this takes {:.0f} times as long as with {} in place of {} ({}): allow that much, or "
      "crop the kernel",
      times, bytes_to_text(search.fast_with->footprint_bytes), bytes_to_text(budget.bytes), budget.limit_name));
}

/// Nothing is to be said of single tiles and of devices on which tiles cannot overlap.
void add_sets_reason(const Plan& plan, const Tiling& tiling, const PlanOptions& options,
                     std::vector<std::string>& reasons) {
  if (tiling.cost.side_by_side > 1) {
    reasons.push_back(fmt::format("{} tiles in flight: threads work on them side by side", plan.num_in_flight));
    return;
  }
  if (!plan.limits.transfers_overlap || plan.num_tiles() == 1 || plan.resident) return;
  if (plan.num_in_flight == 1) {
    reasons.push_back(options.max_sets > 1 ? "one tile in flight: more would cost room and save no time"
                                           : "one tile in flight, as asked for");
    return;
  }
  const double alone = run_seconds(tiling.cost, tiling.num_tiles(), 1);
  reasons.push_back(fmt::format("{} tiles in flight: one at a time would take {:.0f} % longer", plan.num_in_flight,
                                100 * (alone / tiling.seconds() - 1)));
}

double stretch(const AxisPlan& plan) { return static_cast<double>(plan.padded) / static_cast<double>(plan.extent); }

std::string reason_of_kernels(const Plan& plan, const TileLayout& layout) {
  const std::string kernels = fmt::format("{} kernel{}, pairing {}", plan.spec.num_kernels,
                                          plan.spec.num_kernels == 1 ? "" : "s", name(plan.spec.pairing));
  if (layout.fan.kind == KernelFan::Kind::each) return kernels + ": a spectrum for each image";
  const bool spreads = layout.fan.kind == KernelFan::Kind::spread;
  if (sums_directly(plan.path)) return kernels + (spreads ? ": a result each" : ": added up in one result");
  if (layout.num_works == 1) return kernels + ": tiles are read, transformed and written once for each";
  return kernels + (spreads ? ": a tile's transform is kept, and multiplied with each spectrum"
                            : ": products are added up before one transform back");
}

}  // namespace

std::vector<std::string> reasons_of(const Plan& plan, const SearchResult& search, const PlanOptions& options,
                                    const Budget& budget) {
  std::vector<std::string> reasons{tiles_reason(plan, search, options, budget)};
  add_memory_reason(search, budget, reasons);
  add_sets_reason(plan, search.chosen, options, reasons);
  for (int d = 0; d < 3; ++d) {
    const int axis = plan.device_axes[d];
    if (d < plan.num_transforms && !sums_directly(plan.path))
      reasons.push_back(padding_reason(plan.axes[axis], axis_name(axis)));
    add_kernel_reasons(plan.axes[axis], axis_name(axis), reasons);
  }
  if (!sums_directly(plan.path) && plan.num_transforms == 3 && plan.device_axes[1] < plan.device_axes[2]) {
    const int last = plan.device_axes[2];
    const int other = plan.device_axes[1];
    reasons.push_back(fmt::format("{} is transformed last: padding stretches it {:.2f} times, {} only {:.2f} times",
                                  axis_name(last), stretch(plan.axes[last]), axis_name(other),
                                  stretch(plan.axes[other])));
  }
  if (plan.path == Path::separable) {
    reasons.push_back(fmt::format("the kernel is the sum of {} product{} of functions of z, y and x",
                                  plan.separable_terms, plan.separable_terms == 1 ? "" : "s"));
  }
  if (plan.fold_output) {
    reasons.push_back(
        fmt::format("the adjoint of boundary {} is computed on the image's surroundings too and added back",
                    name(plan.spec.boundary)));
  }
  const TileLayout& layout = search.chosen.layout;
  if (plan.path == Path::native && fused_planes_profitable(layout, plan.limits)) {
    reasons.push_back(
        fmt::format("rows and columns of a plane are done in one pass: they meet in the device's cache of {}",
                    bytes_to_text(plan.limits.cache_bytes)));
  }
  if (const auto reason = reason_of_kernel_storage(layout)) reasons.push_back(*reason);
  if (options.choice) reasons.push_back("padding, tiles and transform knobs: the fastest of those measured");
  if (plan.resident) reasons.push_back("image and output stay on the device: nothing goes over the bus");
  if (!layout.fan.is_single()) reasons.push_back(reason_of_kernels(plan, layout));
  if (plan.path == Path::staged) reasons.push_back("staged: no other path is allowed or possible");
  return reasons;
}

}  // namespace convoy::inline v0
