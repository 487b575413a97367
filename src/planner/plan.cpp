#include "convoy/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "convoy/error.hpp"
#include "device_model/common.hpp"
#include "planner/ledger.hpp"
#include "planner/lengths.hpp"
#include "planner/method.hpp"
#include "planner/origin.hpp"
#include "planner/reasons.hpp"
#include "planner/search.hpp"

namespace convoy::inline v0 {
namespace {

void require_plannable(const ConvolutionSpec& spec, const Limits& limits, const PlanOptions& options) {
  validate(spec);
  if (has_origin(spec) && spec.origin.rule == Origin::Rule::peak) {
    throw Error(Errc::invalid_argument,
                "the origin 'peak' is the kernel's largest voxel, so a plan needs the kernel; name the index instead");
  }
  if (spec.precision == Precision::f64 && !limits.supports_f64) {
    throw Error(Errc::unsupported, "this device has no double precision; compute in f32 or use the CPU");
  }
  if (options.min_tiles < 1) {
    throw Error(Errc::invalid_argument, fmt::format("min_tiles is {}; it must be at least 1", options.min_tiles));
  }
  if (options.num_devices < 1) {
    throw Error(Errc::invalid_argument, fmt::format("num_devices is {}; it must be at least 1", options.num_devices));
  }
  if (options.min_sets < 1 || options.piece_bytes < 1) {
    throw Error(Errc::invalid_argument, fmt::format("min_sets is {}, piece_bytes is {}; both must be at least 1",
                                                    options.min_sets, options.piece_bytes));
  }
}

void set_prediction(const Tiling& tiling, const Limits& limits, Plan& plan) {
  const double tiles = static_cast<double>(tiling.num_batches);
  plan.traffic_bytes = whole_bytes(tiling.cost.traffic_bytes * tiles);
  plan.transfer_bytes = whole_bytes(tiling.cost.transfer_bytes * tiles);
  plan.predicted_seconds = CostModel(limits, plan.resident).predicts() ? tiling.seconds() : 0;
}

/// Whole tiles where nothing is gained: lines, which are one row, and devices that work in the host's own memory.
Index piece_extent_of(const TileLayout& layout, const Limits& limits, const PlanOptions& options) {
  const Index extent = layout.extent[layout.num_axes - 1];
  if (layout.num_axes == 1 || limits.transfer_bytes_per_second <= 0 || options.resident) return extent;
  const std::uint64_t layer_bytes = layout.image_bytes() / static_cast<std::uint64_t>(extent);
  const Index least = (extent + device_model::kMostPieces - 1) / device_model::kMostPieces;
  return std::clamp(static_cast<Index>(options.piece_bytes / layer_bytes), least, extent);
}

}  // namespace

const char* name(Tune tune) {
  switch (tune) {
    case Tune::off:
      return "off";
    case Tune::model:
      return "model";
    case Tune::measure:
      return "measure";
  }
  return "unknown";
}

const char* name(FilterStorage storage) {
  switch (storage) {
    case FilterStorage::automatic:
      return "automatic";
    case FilterStorage::spectrum:
      return "spectrum";
    case FilterStorage::compact:
      return "compact";
  }
  return "unknown";
}

const char* name(Method method) {
  switch (method) {
    case Method::automatic:
      return "auto";
    case Method::fft:
      return "fft";
    case Method::direct:
      return "direct";
    case Method::separable:
      return "separable";
  }
  return "unknown";
}

Method method_from_text(const std::string& text) {
  for (const Method method : {Method::automatic, Method::fft, Method::direct, Method::separable}) {
    if (text == name(method)) return method;
  }
  throw Error(Errc::invalid_argument, fmt::format("'{}' is none of auto, fft, direct and separable", text));
}

std::uint64_t nine_copy_bytes(const ConvolutionSpec& spec) {
  validate(spec);
  std::uint64_t bytes = 9 * real_bytes(spec.precision);
  for (int axis = 0; axis < 3; ++axis) {
    const bool grows = spec.mode != Mode::circular && spec.kernel[axis] > 1;
    const Index padded = grows ? spec.image[axis] + spec.kernel[axis] : spec.image[axis];
    bytes = saturating_product(bytes, static_cast<std::uint64_t>(padded));
  }
  return bytes;
}

Index Plan::num_batches() const { return (num_groups(spec) * num_tiles() + batch - 1) / batch; }

Plan make_plan(const ConvolutionSpec& spec, const Limits& device_limits, const PlanOptions& options) {
  Limits limits = device_limits;
  const FftTuning& tuning = options.choice ? options.choice->tuning : options.tuning;
  limits.coalesced_bytes = std::max(limits.coalesced_bytes, tuning.coalesced_bytes);
  require_plannable(spec, limits, options);
  const Budget budget = budget_of(limits, options);
  const MethodChoice method = choose_method(spec, limits, options, budget);
  const SearchResult& search = method.search;
  const TileLayout& layout = search.chosen.layout;

  Plan plan;
  plan.spec = spec;
  plan.limits = limits;
  plan.path = layout.path;
  plan.axes = search.chosen.axes;
  plan.device_axes = layout.device_axes;
  plan.num_transforms = layout.num_axes;
  plan.batch = layout.batch;
  plan.kernels_at_once = layout.kernels_at_once;
  plan.fold_output = folds_output(spec);
  plan.row_pitch = layout.row_pitch;
  plan.kernel_extent = layout.kernel_extent;
  plan.separable_terms = layout.num_terms;
  plan.tuning = tuning;
  plan.sum_tuning = options.sum_tuning;
  if (plan.tuning.coalesced_bytes == 0 && plan.path != Path::native && !sums_directly(plan.path)) {
    plan.tuning.coalesced_bytes = options.tune == Tune::off ? limits.coalesced_bytes : widest_access(layout, limits);
  }
  plan.num_in_flight = search.chosen.num_in_flight;
  plan.piece_extent = piece_extent_of(layout, limits, options);
  plan.resident = options.resident;
  plan.ledger = ledger_of(layout, limits, search.chosen.num_in_flight);
  plan.host_ledger = host_ledger(search.chosen.host);
  plan.host_bytes = search.chosen.host.total_bytes();
  plan.footprint_bytes = search.chosen.footprint_bytes;
  plan.budget_bytes = budget.bytes;
  plan.smallest_footprint_bytes = search.smallest_footprint_bytes;
  set_prediction(search.chosen, limits, plan);
  plan.reasons = reasons_of(plan, search, options, budget);
  if (!method.reason.empty()) plan.reasons.insert(plan.reasons.begin(), method.reason);
  return plan;
}

}  // namespace convoy::inline v0
