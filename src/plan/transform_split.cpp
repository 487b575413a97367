#include "plan/transform_split.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "convoy/error.hpp"
#include "plan/axis.hpp"
#include "plan/lengths.hpp"

namespace convoy {
namespace {

constexpr Index kFewestParts = 3;
constexpr double kPartsGrowth = 1.15;
/// Image, kernel and result of a pass, each real, imaginary and their sum or difference.
constexpr std::uint64_t kPartsInHostMemory = 9;

Index divide_up(Index a, Index b) { return (a + b - 1) / b; }

/// Of one part alone, in one tile.
PlanOptions options_of_part(const PlanOptions& given) {
  PlanOptions options;
  options.memory_limit_bytes = given.memory_limit_bytes;
  options.allow_native = given.allow_native;
  options.allow_fused = given.allow_fused;
  options.tuning = given.tuning;
  options.max_sets = 1;
  return options;
}

std::optional<Plan> plan_of_part(const ConvolutionSpec& part, const Limits& limits, const PlanOptions& options) {
  try {
    Plan plan = make_plan(part, limits, options);
    if (plan.num_tiles() == 1) return plan;
  } catch (const Error& error) {
    if (error.code() != Errc::out_of_memory && error.code() != Errc::unsupported) throw;
  }
  return {};
}

class Splitter {
 public:
  Splitter(const ConvolutionSpec& spec, const Limits& limits, const PlanOptions& options)
      : spec_(spec), limits_(limits), options_(options) {}

  std::optional<TransformSplit> run() {
    if (folds_output(spec_)) return {};
    TransformSplit split;
    split.whole.spec = spec_;
    bool contiguous = true;
    for (int axis = 2; axis >= 0; --axis) {
      const AxisTask task = axis_task(spec_, axis);
      AxisPlan& plan = split.whole.axes[static_cast<std::size_t>(axis)];
      plan = in_one_tile(task);
      lengths_.emplace(limits_, spec_.precision, contiguous, longest_needed(task));
      const Index required = required_period(plan);
      if (axis == 0) break;
      const auto padded = required > 1 ? lengths_->cheapest(required) : 1;
      if (!padded) return {};
      plan.padded = *padded;
      contiguous = contiguous && plan.padded == 1;
    }
    const Index required = required_period(split.whole.axes[0]);
    for (double parts = kFewestParts; parts <= static_cast<double>(required) / 2; parts *= kPartsGrowth) {
      split.num_parts = static_cast<Index>(parts) | 1;
      if (fits(required, split)) return split;
    }
    return {};
  }

 private:
  bool fits(Index required, TransformSplit& split) const {
    const auto length = lengths_->cheapest(divide_up(required, split.num_parts));
    if (!length) return false;
    std::array<AxisPlan, 3>& axes = split.whole.axes;
    axes[0].padded = split.num_parts * *length;
    split.part = {};
    split.part.image = split.part.kernel = {*length, axes[1].padded, axes[2].padded};
    split.part.mode = Mode::circular;
    split.part.origin = {Origin::Rule::first, {0, 0, 0}};
    split.part.precision = spec_.precision;
    const std::uint64_t real = real_bytes(spec_.precision);
    const std::uint64_t part_bytes = saturating_product(real, static_cast<std::uint64_t>(num_voxels(split.part.image)));
    split.transfer_bytes = saturating_product(3 * part_bytes, static_cast<std::uint64_t>(split.num_passes()));
    split.host_bytes = saturating_product(kPartsInHostMemory, part_bytes);
    split.host_bytes += real * static_cast<std::uint64_t>(num_voxels(output_shape(spec_)));
    split.host_bytes +=
        real * static_cast<std::uint64_t>(axes[0].kernel_size * axes[1].kernel_size * axes[2].kernel_size);
    if (const auto& streaming = options_.streaming) {
      split.host_bytes += size_of(streaming->read) * static_cast<std::uint64_t>(num_voxels(spec_.image));
    }
    if (options_.host_memory_limit_bytes > 0 && split.host_bytes > options_.host_memory_limit_bytes) return false;
    const auto plan = plan_of_part(split.part, limits_, options_of_part(options_));
    if (plan) split.part_plan = *plan;
    return plan.has_value();
  }

  const ConvolutionSpec& spec_;
  const Limits& limits_;
  const PlanOptions& options_;
  std::optional<TransformLengths> lengths_;  // of z, in the end
};

}  // namespace

std::optional<TransformSplit> split_transform(const ConvolutionSpec& spec, const Limits& limits,
                                              const PlanOptions& options) {
  return Splitter(spec, limits, options).run();
}

}  // namespace convoy
