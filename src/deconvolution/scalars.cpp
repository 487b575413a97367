#include "deconvolution/scalars.hpp"

#include <algorithm>
#include <limits>

#include "kernels/data_kernels.hpp"
#include "kernels/deconvolution_kernels.hpp"

namespace convoy::inline v0 {
namespace {

/// A blurred value counts as at least this part of the data's mean: what is below is rounding errors.
constexpr double kLeastBlurred = 1e-6;
/// A start value counts as at least this part of the data's mean: voxels that start at 0 stay there.
constexpr double kLeastStart = 0.01;
/// Start values, in the device's unit, are not above this, which can be summed up over any frame.
constexpr double kHighestStart = 1e15;
/// Slopes below this part of the data's mean count as flat for total variation.
constexpr double kSoftness = 1e-3;
/// All three are at least this, in the device's unit: dark images have no mean, and squares must not vanish.
constexpr double kLeastThreshold = 1e-15;

/// As kernels::take_scalars numbers them.
kernels::StartRule start_rule_of(const DeconvolutionSpec& spec) {
  if (spec.algorithm == Algorithm::wiener) return kernels::StartRule::mean;
  switch (spec.start) {
    case Start::automatic:
      return kernels::StartRule::automatic;
    case Start::image:
      return kernels::StartRule::image;
    case Start::value:
      return kernels::StartRule::value;
    case Start::flat:
      break;
  }
  return kernels::StartRule::flat;
}

/// Its start value and the 1e-12 of its divisor scale along. Where they leave the range that can be summed up over the
/// frame, both are moved by one factor: the first iteration's result does not depend on the start value.
Scalars scalars_of_skimage(const DeconvolutionPlan& plan, const ObservedCounts& counts, double psf_magnitude) {
  namespace s = kernels::scalars;
  constexpr double kNone = -1e38;
  constexpr double kStart = 0.5;
  const double highest = std::min(1e25, 1e36 / (static_cast<double>(num_voxels(plan.frame())) * psf_magnitude));
  Scalars values{};
  values[s::start] = std::clamp(kStart / counts.unit, 1e-10, highest);
  values[s::least_blurred] = kNone;
  values[s::background] = 1e-12 * std::min(1 / counts.unit, highest / kStart);
  values[s::least_correction] = kNone;
  return values;
}

}  // namespace

Scalars scalars_of(const DeconvolutionPlan& plan, const ObservedCounts& counts, double psf_magnitude) {
  namespace s = kernels::scalars;
  static_assert(s::count == kNumScalars);
  const DeconvolutionSpec& spec = plan.spec;
  if (spec.compatibility == Compatibility::skimage) return scalars_of_skimage(plan, counts, psf_magnitude);
  const double background = counts.background / counts.unit;
  const bool wiener = spec.algorithm == Algorithm::wiener;
  Scalars values{};
  values[s::least_start] = kLeastStart * counts.mean;
  values[s::start] = wiener ? counts.mean - background : std::max(counts.mean - background, values[s::least_start]);
  if (spec.start == Start::value) {
    values[s::start] = std::clamp(spec.start_value / counts.unit * plan.psf_sum, kLeastThreshold, kHighestStart);
  }
  values[s::image_share] = spec.start == Start::image ? 1 : counts.signal_share;
  values[s::least_blurred] = std::max(kLeastBlurred * counts.mean, kLeastThreshold);
  values[s::background] = background;
  values[s::step] = spec.relaxation / (psf_magnitude * psf_magnitude);
  if (spec.damping > 0) {
    const double gain = 2 * counts.discrepancy / static_cast<double>(std::max<Index>(1, counts.data));
    values[s::step] = std::max(spec.damping * spec.damping * gain, kLeastThreshold);
  }
  if (!spec.clip) values[s::least_correction] = -kHighestStart;
  values[s::softness] = std::max(kSoftness * counts.mean, kLeastThreshold);
  return values;
}

ScalarRules scalar_rules(const DeconvolutionPlan& plan, double psf_magnitude) {
  const DeconvolutionSpec& spec = plan.spec;
  ScalarRules rules;
  rules.start_rule = static_cast<Index>(start_rule_of(spec));
  rules.step = spec.relaxation / (psf_magnitude * psf_magnitude);
  rules.least_start_part = kLeastStart;
  rules.least_blurred_part = kLeastBlurred;
  rules.softness_part = kSoftness;
  rules.least_threshold = kLeastThreshold;
  rules.highest_start = kHighestStart;
  rules.start = spec.start_value * plan.psf_sum;
  return rules;
}

OutputScale output_scale(const DeconvolutionPlan& plan, const ObservedCounts& counts) {
  if (plan.spec.compatibility == Compatibility::skimage) return {counts.unit, -1, 1};
  return {std::min(counts.unit / plan.psf_sum, std::numeric_limits<double>::max())};
}

}  // namespace convoy::inline v0
