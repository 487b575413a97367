#include "dif_split/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "convoy/error.hpp"
#include "device_model/common.hpp"
#include "planner/axis.hpp"
#include "planner/cost.hpp"
#include "planner/kernel_fan.hpp"
#include "planner/layout.hpp"
#include "planner/lengths.hpp"
#include "planner/search.hpp"

namespace convoy::inline v0 {
namespace {

constexpr Index kFewestParts = 3;
constexpr double kPartsGrowth = 1.15;
/// A part takes at least its image, its work buffer and its spectrum.
constexpr std::uint64_t kBuffersOfPart = 3;

Index divide_up(Index a, Index b) { return (a + b - 1) / b; }

double voxels(const Shape& shape) { return static_cast<double>(num_voxels(shape)); }

double voxels_read(const Plan& tiles) {
  double read = static_cast<double>(tiles.num_tiles());
  for (const AxisPlan& axis : tiles.axes) read *= static_cast<double>(axis.tile_input);
  return read;
}

bool halos_weigh(const Plan& tiles) {
  return tiles.num_tiles() > 1 && voxels_read(tiles) > device_model::kHalosThatWeigh * voxels(tiles.spec.image);
}

/// Of one part alone, in one tile.
PlanOptions options_of_part(const PlanOptions& given, const Shape& part) {
  PlanOptions options;
  options.method = Method::fft;
  options.memory_limit_bytes = given.memory_limit_bytes;
  options.path = given.path;
  options.tuning = given.tuning;
  options.tuning.swap_strided_axes = false;  // the host's sums lie as the image does
  options.max_sets = 1;
  options.deterministic = given.deterministic;
  options.tile_output = part;
  return options;
}

std::optional<Plan> plan_of_part(const ConvolutionSpec& part, const Limits& limits, const PlanOptions& options) {
  try {
    Plan plan = make_plan(part, limits, options_of_part(options, part.image));
    const bool unpadded =
        std::all_of(plan.axes.begin(), plan.axes.end(), [](const AxisPlan& axis) { return axis.padded == axis.image; });
    if (unpadded) return plan;
  } catch (const Error& error) {
    if (error.code() != Errc::out_of_memory && error.code() != Errc::unsupported) throw;
  }
  return {};
}

class Splitter {
 public:
  Splitter(const ConvolutionSpec& spec, const Limits& limits, const PlanOptions& options)
      : spec_(spec), limits_(limits), options_(options), budget_bytes_(budget_of(limits, options).bytes) {}

  /// Along this axis.
  std::optional<TransformSplit> along(int axis) {
    TransformSplit split;
    split.axis = axis;
    split.whole.spec = spec_;
    const auto lengths = pad_others(split);
    if (!lengths) return {};
    const Index required = required_period(split.whole.axes[static_cast<std::size_t>(axis)]);
    for (double parts = kFewestParts; parts <= static_cast<double>(required) / 2; parts *= kPartsGrowth) {
      split.num_parts = static_cast<Index>(parts) | 1;
      const auto length = lengths->cheapest(divide_up(required, split.num_parts));
      if (split.num_convolutions() < options_.num_devices) continue;
      if (length && fits(*length, split)) return split;
    }
    return {};
  }

 private:
  /// Returns the lengths that the split axis may have; nothing if another axis cannot be transformed.
  std::optional<TransformLengths> pad_others(TransformSplit& split) const {
    std::optional<TransformLengths> of_split_axis;
    bool contiguous = true;
    for (int axis = 2; axis >= 0; --axis) {
      const AxisTask task = axis_task(spec_, axis);
      AxisPlan& plan = split.whole.axes[static_cast<std::size_t>(axis)];
      plan = in_one_tile(task);
      const TransformLengths lengths(limits_, spec_.precision, contiguous, longest_needed(task));
      const Index required = required_period(plan);
      if (axis == split.axis) {
        of_split_axis = lengths;
        contiguous = false;
        continue;
      }
      const auto padded = required > 1 ? lengths.cheapest(required) : 1;
      if (!padded) return {};
      plan.padded = *padded;
      contiguous = contiguous && plan.padded == 1;
    }
    return of_split_axis;
  }

  bool fits(Index length, TransformSplit& split) const {
    std::array<AxisPlan, 3>& axes = split.whole.axes;
    axes[static_cast<std::size_t>(split.axis)].padded = split.num_parts * length;
    split.part = {};
    split.part.image = {axes[0].padded, axes[1].padded, axes[2].padded};
    split.part.image[split.axis] = length;
    split.part.kernel = split.part.image;
    split.part.mode = Mode::circular;
    split.part.origin = {Origin::Rule::first, {0, 0, 0}};
    split.part.precision = spec_.precision;
    const std::uint64_t part_bytes = bytes_of(split.part.image);
    if (saturating_product(kBuffersOfPart, part_bytes) > budget_bytes_) return false;
    const auto plan = plan_of_part(split.part, limits_, options_);
    if (!plan) return false;
    split.part_plan = *plan;
    split.footprint_bytes = plan->footprint_bytes;
    split.transfer_bytes = saturating_product(3 * part_bytes, static_cast<std::uint64_t>(split.num_convolutions()));
    if (limits_.transfer_bytes_per_second <= 0) split.transfer_bytes = 0;
    split.host_bytes = host_bytes(split);
    split.seconds = seconds(split);
    return options_.host_memory_limit_bytes == 0 || split.host_bytes <= options_.host_memory_limit_bytes;
  }

  std::uint64_t bytes_of(const Shape& shape) const {
    return saturating_product(real_bytes(spec_.precision), static_cast<std::uint64_t>(num_voxels(shape)));
  }

  Shape used_kernel(const TransformSplit& split) const {
    const auto& [z, y, x] = split.whole.axes;
    return {z.kernel_size, y.kernel_size, x.kernel_size};
  }

  /// What each device's part takes, the output's sums, the kernel, and an image that is read.
  std::uint64_t host_bytes(const TransformSplit& split) const {
    std::uint64_t bytes =
        saturating_product(split.part_plan.host_bytes, static_cast<std::uint64_t>(options_.num_devices));
    bytes = saturating_sum(bytes, saturating_sum(bytes_of(output_shape(spec_)), bytes_of(used_kernel(split))));
    if (!options_.streaming) return bytes;
    return saturating_sum(bytes, saturating_product(size_of(options_.streaming->read),
                                                    static_cast<std::uint64_t>(num_voxels(spec_.image))));
  }

  /// The devices share the convolutions, each with its kernel's transform, which is half of one. The host reads image
  /// and kernel and adds to the output for each, and moves parts to and from ports.
  double seconds(const TransformSplit& split) const {
    const TileCost cost = CostModel(limits_).tile(layout_of(split.part_plan), voxels(split.part.image));
    const double of_device = 2 * cost.upload_seconds + 1.5 * cost.compute_seconds + cost.download_seconds;
    const double host_voxels = voxels(spec_.image) + voxels(used_kernel(split)) + 2 * voxels(output_shape(spec_)) +
                               3 * voxels(split.part.image);
    const double of_host =
        static_cast<double>(real_bytes(spec_.precision)) * host_voxels / device_model::kHostBytesPerSecond;
    const Index rounds = divide_up(split.num_convolutions(), options_.num_devices);
    return static_cast<double>(rounds) * of_device + static_cast<double>(split.num_convolutions()) * of_host;
  }

  const ConvolutionSpec& spec_;
  const Limits& limits_;
  const PlanOptions& options_;
  std::uint64_t budget_bytes_;
};

}  // namespace

std::optional<TransformSplit> split_transform(const ConvolutionSpec& spec, const Limits& limits,
                                              const PlanOptions& options) {
  if (folds_output(spec)) return {};
  std::optional<TransformSplit> best;
  for (int axis = 0; axis < 3; ++axis) {
    const auto split = Splitter(spec, limits, options).along(axis);
    if (split && (!best || split->seconds < best->seconds)) best = split;
  }
  return best;
}

bool split_may_be_better(const ConvolutionSpec& spec, const PlanOptions& options, const Plan* tiles) {
  if (options.min_tiles > 1 || options.choice || options.tile_output || options.resident || spec.batch > 1) {
    return false;
  }
  if (!kernel_fan(spec).is_single()) return false;  // convolutions of parts are of one kernel
  if (options.method == Method::direct || options.method == Method::separable) return false;
  return tiles == nullptr || (!sums_directly(tiles->path) && options.tune != Tune::off && halos_weigh(*tiles));
}

std::optional<TransformSplit> better_split(const ConvolutionSpec& spec, const Limits& limits,
                                           const PlanOptions& options, const Plan* tiles) {
  if (!split_may_be_better(spec, options, tiles)) return {};
  const std::optional<TransformSplit> split = split_transform(spec, limits, options);
  if (!split || tiles == nullptr) return split;
  if (run_seconds(*tiles) / options.num_devices < device_model::kGainThatPaysForSplit * split->seconds) return {};
  return split;
}

Plan plan_of(const TransformSplit& split) {
  Plan plan = split.part_plan;
  plan.spec = split.whole.spec;
  plan.split = SplitInParts{split.axis, split.num_parts, split.num_convolutions()};
  plan.transfer_bytes = split.transfer_bytes;
  plan.traffic_bytes = saturating_product(plan.traffic_bytes, static_cast<std::uint64_t>(split.num_convolutions()));
  plan.predicted_seconds = plan.predicted_seconds > 0 ? split.seconds : 0;
  plan.host_bytes = split.host_bytes;
  plan.host_ledger = {{"parts and sums", split.host_bytes, "of the split transform, with its kernel"}};
  plan.reasons.front() = fmt::format(
      "the transform is split along {} into {} parts of {} zyx, staged through host memory in {} convolutions: tiles "
      "with their halos do not fit, or would take longer",
      axis_name(split.axis), split.num_parts, to_text(split.part.image), split.num_convolutions());
  return plan;
}

const char* name_of_pieces(const Plan& plan) { return plan.split ? "convolutions of parts" : "tiles"; }

Plan plan_tiles_or_split(const ConvolutionSpec& spec, const Limits& limits, const PlanOptions& options) {
  try {
    const Plan tiles = make_plan(spec, limits, options);
    const auto split = better_split(spec, limits, options, &tiles);
    return split ? plan_of(*split) : tiles;
  } catch (const Error& problem) {
    if (problem.code() != Errc::out_of_memory && problem.code() != Errc::unsupported) throw;
    const auto split = better_split(spec, limits, options, nullptr);
    if (!split) throw;
    return plan_of(*split);
  }
}

}  // namespace convoy::inline v0
