#include "engine/checks.hpp"

#include <fmt/format.h>

#include <cmath>
#include <functional>
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

void require_data(const char* what, const void* data) {
  if (data == nullptr) throw Error(Errc::invalid_argument, fmt::format("the {} has no data (null pointer)", what));
}

void require_shape(const char* what, const Shape& given, const Shape& expected) {
  if (given == expected) return;
  throw Error(Errc::invalid_argument, fmt::format("the {} is {} zyx, but this was planned for {} zyx", what,
                                                  to_text(given), to_text(expected)));
}

void require_images(const char* what, const ImageView& given, const Shape& shape, Index batch) {
  require_data(what, given.data);
  require_shape(what, given.shape, shape);
  if (given.batch == batch) return;
  throw Error(Errc::invalid_argument,
              fmt::format("the {} is a batch of {} image(s), but this was planned for {}", what, given.batch, batch));
}

void require_apart(const ImageView& image, const MutableImageView& output) {
  const auto* in = static_cast<const std::byte*>(image.data);
  const auto* out = static_cast<const std::byte*>(output.data);
  const std::size_t in_bytes = static_cast<std::size_t>(num_voxels(image.as_one().shape)) * size_of(image.element);
  const std::size_t out_bytes = static_cast<std::size_t>(num_voxels(output.as_one().shape)) * size_of(output.element);
  if (std::less<>()(in, out + out_bytes) && std::less<>()(out, in + in_bytes)) {
    throw Error(Errc::invalid_argument, "the output overlaps the image in memory; give it a buffer of its own");
  }
}

bool is_usable(const ConvolutionSpec& spec, const InputSums& met) {
  return met.too_large == 0 && (met.non_finite == 0 || spec.non_finite == NonFinite::zero);
}

void require_usable(const ConvolutionSpec& spec, const InputSums& met) {
  if (is_usable(spec, met)) return;
  const auto place = [&](Index voxel) {
    const Shape& shape = spec.image;
    const std::string zyx =
        fmt::format("{},{},{}", voxel / (shape.y * shape.x) % shape.z, voxel / shape.x % shape.y, voxel % shape.x);
    return num_images(spec) > 1 ? fmt::format("{} of image {}", zyx, voxel / num_voxels(shape)) : zyx;
  };
  if (met.non_finite > 0 && spec.non_finite == NonFinite::error) {
    throw Error(Errc::invalid_argument,
                fmt::format("the image has {} NaN or infinite voxel(s), the first at z,y,x = {}; a transform would "
                            "spread them over the whole output: mend the image, or have them taken as 0 (--nan zero)",
                            met.non_finite, place(met.first_non_finite)));
  }
  const double value = -met.lowest > met.highest ? met.lowest : met.highest;
  const bool single = spec.precision == Precision::f32;
  throw Error(Errc::invalid_argument,
              fmt::format("the image has {} voxel(s) so large that a transform in {} precision may overflow, the first "
                          "at z,y,x = {}, the largest {:.9g}: if that value marks missing data, have it taken as 0 "
                          "(--no-data {:.9g}); else {}scale the image down",
                          met.too_large, single ? "single" : "double", place(met.first_too_large), value, value,
                          single ? "compute in double precision (--precision f64), or " : ""));
}

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
