#include "engine/checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "convoy/convolution.hpp"
#include "convoy/error.hpp"
#include "planner/kernel_fan.hpp"

namespace convoy::inline v0 {
namespace {

/// Room for the complex products, and for kernels whose spectrum is taken in parts.
constexpr double kHeadroom = 8;
/// Of rounding_error(): flat images with a large offset were seen to need 6.
constexpr double kRoundingFactor = 16;

double unit_roundoff(Precision precision) { return precision == Precision::f32 ? 0x1p-24 : 0x1p-53; }

/// An axis of more than one voxel, or the batch.
struct LongAxis {
  const char* name;
  Index extent;
  Index stride;
};

std::vector<LongAxis> long_axes(const ImageView& images) {
  const Strides strides = images.strides_in_bytes();
  const std::array<LongAxis, 4> all{{{"x", images.shape.x, strides.x},
                                     {"y", images.shape.y, strides.y},
                                     {"z", images.shape.z, strides.z},
                                     {"the batch", images.batch, strides.image}}};
  std::vector<LongAxis> axes;
  std::copy_if(all.begin(), all.end(), std::back_inserter(axes), [](const LongAxis& axis) { return axis.extent > 1; });
  return axes;
}

void require_aligned(const char* what, const ImageView& given) {
  const std::size_t bytes = size_of(part_of(given.element));
  if (reinterpret_cast<std::uintptr_t>(given.data) % bytes != 0) {
    throw Error(Errc::invalid_argument,
                fmt::format("the {} begins at an address that is no multiple of the {} bytes of a voxel of {}; copy it "
                            "to where it is",
                            what, bytes, name(given.element)));
  }
  for (const LongAxis& axis : long_axes(given)) {
    if (axis.stride % static_cast<Index>(bytes) == 0) continue;
    throw Error(Errc::invalid_argument,
                fmt::format("the {}'s voxels of {} lie {} bytes apart along {}, no multiple of their {} bytes; copy it "
                            "to an array of its own",
                            what, name(given.element), axis.stride, axis.name, bytes));
  }
}

/// The distance of the furthest voxel is a number of bytes.
void require_addressable(const char* what, const ImageView& given) {
  std::uint64_t furthest = 0;
  for (const LongAxis& axis : long_axes(given)) {
    const std::uint64_t step =
        axis.stride < 0 ? 0 - static_cast<std::uint64_t>(axis.stride) : static_cast<std::uint64_t>(axis.stride);
    furthest = saturating_sum(furthest, saturating_product(static_cast<std::uint64_t>(axis.extent - 1), step));
  }
  if (furthest < std::uint64_t{1} << 62) return;
  throw Error(Errc::invalid_argument, fmt::format("the {} has strides of {} for {} zyx, which reach beyond any memory",
                                                  what, to_text(given.strides_in_bytes()), to_text(given.shape)));
}

}  // namespace

std::string to_text(const Strides& strides) {
  return fmt::format("{},{},{} bytes zyx, {} from image to image", strides.z, strides.y, strides.x, strides.image);
}

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
  if (given.batch != batch) {
    throw Error(Errc::invalid_argument,
                fmt::format("the {} is a batch of {} image(s), but this was planned for {}", what, given.batch, batch));
  }
  require_aligned(what, given);
  require_addressable(what, given);
}

void require_real(const char* what, Element element) {
  if (!is_complex(element)) return;
  throw Error(
      Errc::unsupported,
      fmt::format("the {} is complex ({}), which only a Convolver of images in host memory or files takes: give "
                  "real and imaginary parts as images of their own",
                  what, name(element)));
}

void require_streams(const ImageReaders& images, const ImageWriters& outputs, const ConvolutionSpec& spec) {
  const KernelFan fan = kernel_fan(spec);
  const auto in = static_cast<std::size_t>(fan.num_images());
  const auto out = static_cast<std::size_t>(fan.num_results());
  if (images.empty() || images.size() % in != 0 || images.size() / in * out != outputs.size()) {
    throw Error(Errc::invalid_argument,
                fan.is_single()
                    ? fmt::format("{} image(s) to read and {} to write; there must be one output for each "
                                  "image, and at least one",
                                  images.size(), outputs.size())
                    : fmt::format("{} image(s) to read and {} to write; {} kernels of pairing {} make {} of "
                                  "every {}, and there must be some",
                                  images.size(), outputs.size(), spec.num_kernels, name(spec.pairing), out, in));
  }
  if (num_groups(spec) > 1) {
    throw Error(Errc::unsupported,
                fmt::format("this was planned for a batch of {} images in memory, but a reader has one; plan for one "
                            "image and give the run as many readers and writers",
                            spec.batch));
  }
  const auto require_element = [](const char* what, Element given, Element first) {
    if (given == first) return;
    throw Error(Errc::invalid_argument, fmt::format("the {}s of one run are of one element, but there are {} and {}",
                                                    what, name(first), name(given)));
  };
  for (const ImageReader* image : images) {
    require_data("image", image);
    require_shape("image", image->shape(), spec.image);
    require_element("image", image->element(), images.front()->element());
  }
  for (const ImageWriter* output : outputs) {
    require_data("output", output);
    require_shape("output", output->shape(), output_shape(spec));
    require_element("output", output->element(), outputs.front()->element());
  }
}

/// Along each axis, in the order of their distances: a step leads over all that the axes before take up.
void require_writable_images(const char* what, const MutableImageView& given, const Shape& shape, Index batch) {
  require_images(what, given, shape, batch);
  std::vector<LongAxis> axes = long_axes(given);
  std::sort(axes.begin(), axes.end(),
            [](const LongAxis& a, const LongAxis& b) { return std::abs(a.stride) < std::abs(b.stride); });
  auto taken = static_cast<Index>(size_of(given.element));
  for (const LongAxis& axis : axes) {
    if (std::abs(axis.stride) < taken) {
      throw Error(
          Errc::invalid_argument,
          fmt::format("voxels of the {} overlap: {} steps of {} bytes along {} lie within the {} bytes that its "
                      "other axes take up (strides {}); write to an array whose voxels lie apart",
                      what, axis.extent, axis.stride, axis.name, taken, to_text(given.strides_in_bytes())));
    }
    taken += (axis.extent - 1) * std::abs(axis.stride);
  }
}

std::span<const std::byte> bytes_of(const ImageView& images) {
  const auto* first = static_cast<const std::byte*>(images.data);
  const auto* last = first;
  for (const LongAxis& axis : long_axes(images)) {
    (axis.stride < 0 ? first : last) += (axis.extent - 1) * axis.stride;
  }
  return {first, last + size_of(images.element)};
}

/// Apart, too, are those whose bytes interlace, such as two channels of one array: all distances are multiples of a
/// number of bytes, of which each takes its own.
void require_apart(const ImageView& image, const MutableImageView& output) {
  const std::span<const std::byte> in = bytes_of(image);
  const std::span<const std::byte> out = bytes_of(output);
  if (!std::less<>()(in.data(), out.data() + out.size()) || !std::less<>()(out.data(), in.data() + in.size())) return;
  std::uint64_t period = 0;
  for (const ImageView& view : {image, ImageView(output)}) {
    for (const LongAxis& axis : long_axes(view))
      period = std::gcd(period, static_cast<std::uint64_t>(std::abs(axis.stride)));
  }
  if (period > 0) {
    const std::uint64_t distance = (reinterpret_cast<std::uintptr_t>(output.data) % period + period -
                                    reinterpret_cast<std::uintptr_t>(image.data) % period) %
                                   period;
    if (distance >= size_of(image.element) && distance + size_of(output.element) <= period) return;
  }
  throw Error(Errc::invalid_argument, "the output overlaps the image in memory; give it a buffer of its own");
}

bool is_usable(const ConvolutionSpec& spec, const InputSums& met) {
  return met.too_large == 0 && (met.non_finite == 0 || spec.non_finite != NonFinite::error);
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
                            "spread them over the whole output: mend the image, or have them taken as 0 (--nan zero) "
                            "or as missing (--nan interpolate)",
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
  report.nan_voxels = sums.outputs.nan;
  report.input_sum = inputs.sum;
  report.output_sum = sums.outputs.sum;
  if (inputs.lowest <= inputs.highest) {
    report.lowest_voxel = inputs.lowest;
    report.highest_voxel = inputs.highest;
  }
  report.dynamic_range = inputs.dynamic_range;
}

}  // namespace convoy::inline v0
