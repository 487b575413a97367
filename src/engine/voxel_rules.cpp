#include "engine/voxel_rules.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "convoy/convolution.hpp"
#include "convoy/error.hpp"

namespace convoy {
namespace {

/// Room for the complex products, and for kernels whose spectrum is taken in parts.
constexpr double kHeadroom = 8;
/// Of rounding_error(): flat images with a large offset were seen to need 6.
constexpr double kRoundingFactor = 16;

double unit_roundoff(Precision precision) { return precision == Precision::f32 ? 0x1p-24 : 0x1p-53; }

}  // namespace

double largest_number(Precision precision) {
  return precision == Precision::f32 ? static_cast<double>(std::numeric_limits<float>::max())
                                     : std::numeric_limits<double>::max();
}

VoxelRules voxel_rules(const Plan& plan, double kernel_magnitude) {
  const ConvolutionSpec& spec = plan.spec;
  // A transform sums up to as many voxels, its inverse as many products; folded outputs are sums over tiles.
  double most = largest_number(spec.precision) / kHeadroom / std::max(1.0, kernel_magnitude);
  for (const AxisPlan& axis : plan.axes) most /= static_cast<double>(axis.padded);
  if (plan.fold_output) most /= static_cast<double>(plan.num_tiles());
  if (spec.boundary == Boundary::constant && std::abs(spec.constant) > most) {
    throw Error(
        Errc::invalid_argument,
        fmt::format("the constant {:g} outside the image is so large that a transform in {} precision may "
                    "overflow; the most is {:.3g}{}",
                    spec.constant, spec.precision == Precision::f32 ? "single" : "double", most,
                    spec.precision == Precision::f32 ? ", or compute in double precision (--precision f64)" : ""));
  }
  VoxelRules rules;
  rules.largest = most;
  rules.no_data = spec.no_data;
  if (spec.precision == Precision::f32) rules.exact_to = 0x1p24;
  return rules;
}

double rounding_error(Precision precision, double largest_voxel, double kernel_magnitude) {
  return kRoundingFactor * unit_roundoff(precision) * largest_voxel * kernel_magnitude;
}

void set_sums(const TileSums& sums, RunReport& report) {
  const InputSums& inputs = sums.inputs;
  report.non_finite_voxels = inputs.non_finite;
  report.no_data_voxels = inputs.no_data;
  report.inexact_voxels = inputs.inexact;
  report.saturated_voxels = sums.outputs.saturated;
  report.input_sum = inputs.sum;
  report.output_sum = sums.outputs.sum;
  if (inputs.lowest <= inputs.highest) {
    report.lowest_voxel = inputs.lowest;
    report.highest_voxel = inputs.highest;
  }
  report.dynamic_range = inputs.dynamic_range;
}

}  // namespace convoy
