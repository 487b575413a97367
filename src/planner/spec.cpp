#include "convoy/spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/refuse.hpp"
#include "convoy/error.hpp"
#include "planner/origin.hpp"

namespace convoy::inline v0 {
namespace {

/// Leaves room for sums of image, kernel and padding in 64 bits.
constexpr Index kLongestAxis = Index{1} << 56;
/// Each has buffers of its own on the device.

void require_extents(const Shape& shape, const char* what) {
  for (int axis = 0; axis < 3; ++axis) {
    if (shape[axis] < 1) {
      refuse(fmt::format("{} {} zyx has {} voxels on axis {}; every axis needs at least 1", what, to_text(shape),
                         shape[axis], axis_name(axis)));
    }
    if (shape[axis] > kLongestAxis) {
      refuse(fmt::format("{} {} zyx has {} voxels on axis {}; at most {} are possible", what, to_text(shape),
                         shape[axis], axis_name(axis), kLongestAxis));
    }
  }
}

bool contains(const Shape& outer, const Shape& inner) {
  return outer.z >= inner.z && outer.y >= inner.y && outer.x >= inner.x;
}

void require_origin_inside(const Shape& origin, const Shape& kernel) {
  for (int axis = 0; axis < 3; ++axis) {
    if (origin[axis] < 0 || origin[axis] >= kernel[axis]) {
      refuse(fmt::format("origin {} zyx lies outside kernel {} zyx on axis {}: it must be 0 to {} there",
                         to_text(origin), to_text(kernel), axis_name(axis), kernel[axis] - 1));
    }
  }
}

void require_boundary_fits_mode(const ConvolutionSpec& spec) {
  const bool free_choice = spec.mode == Mode::same || spec.mode == Mode::full || spec.boundary == Boundary::zero;
  const bool says_the_same = spec.mode == Mode::circular && spec.boundary == Boundary::wrap;
  if (!free_choice && !says_the_same) {
    refuse(
        fmt::format("boundary {} has no meaning in mode {}; boundaries other than zero belong to modes same and full",
                    name(spec.boundary), name(spec.mode)));
  }
  if (spec.mode == Mode::full && spec.operation == Operation::correlate && spec.boundary != Boundary::zero) {
    refuse(
        fmt::format("operation correlate is an adjoint, in mode full that of valid, which reads no boundary; with "
                    "boundary {} use operation flip (--flip), the correlation that reads the image through it",
                    name(spec.boundary)));
  }
}

Shape shape_of_mode(const ConvolutionSpec& spec) {
  Shape output = spec.image;
  for (int axis = 0; axis < 3; ++axis) {
    const Index n = spec.image[axis];
    const Index k = spec.kernel[axis];
    if (spec.mode == Mode::full) output[axis] = n + k - 1;
    if (spec.mode == Mode::valid) output[axis] = std::max(n, k) - std::min(n, k) + 1;
  }
  return output;
}

void require_region_inside(const Box& region, const Shape& output) {
  for (int axis = 0; axis < 3; ++axis) {
    const Index begin = region.begin[axis];
    const Index size = region.size[axis];
    if (begin >= 0 && size >= 1 && begin < output[axis] && size <= output[axis] - begin) continue;
    refuse(fmt::format("region {} is empty or leaves the output of {} voxels on axis {}", to_text(region), output[axis],
                       axis_name(axis)));
  }
}

void require_constant_fits(const ConvolutionSpec& spec) {
  if (spec.boundary != Boundary::constant) return;
  if (std::isinf(spec.constant)) {
    refuse(fmt::format("the constant outside the image is {}; it must be finite, or NaN for what is missing",
                       spec.constant));
  }
  if (spec.operation == Operation::correlate && spec.constant != 0) {
    refuse(fmt::format(
        "operation correlate is the adjoint of convolve, and with the constant {} outside the image there is "
        "none: convolve then adds something that does not depend on the image. Use operation flip "
        "(--flip) for the correlation that reads this constant, or boundary zero",
        spec.constant));
  }
}

void require_missing_fits(const ConvolutionSpec& spec) {
  if (spec.non_finite == NonFinite::interpolate && spec.operation == Operation::correlate) {
    refuse(
        "operation correlate is an adjoint, which a convolution that interpolates missing voxels has not: it depends "
        "on "
        "the data; use operation flip (--flip), or take missing voxels as 0 (--nan zero)");
  }
  const bool makes_nan = spec.non_finite == NonFinite::interpolate || spec.preserve_nan || std::isnan(spec.constant);
  if (makes_nan && (spec.num_kernels > 1 || spec.pairing == Pairing::sum)) {
    throw Error(
        Errc::unsupported,
        fmt::format("missing voxels are not interpolated, preserved or taken for the outside with {} kernel(s) of "
                    "pairing {}: convolve with one kernel at a time, or take missing voxels as 0 (--nan zero)",
                    spec.num_kernels, name(spec.pairing)));
  }
  if (!spec.preserve_nan) return;
  if (spec.non_finite == NonFinite::error) {
    refuse(
        "NaN to be preserved (--preserve-nan) is refused as well: say what the convolution takes it as (--nan zero or "
        "--nan interpolate)");
  }
  if (!has_origin(spec)) {
    refuse(
        fmt::format("NaN is preserved where output voxels belong to image voxels, in modes same and circular, not {}",
                    name(spec.mode)));
  }
  if (spec.operation == Operation::correlate) {
    refuse("NaN is not preserved by operation correlate, an adjoint; use operation flip (--flip)");
  }
}

void require_pairing(const ConvolutionSpec& spec) {
  if (spec.num_kernels < 1) refuse(fmt::format("{} kernels; there must be at least 1", spec.num_kernels));
  if (spec.pairing == Pairing::each && spec.num_kernels != spec.batch) {
    refuse(fmt::format("pairing each needs a kernel for each image, but there are {} kernel(s) and {} image(s)",
                       spec.num_kernels, spec.batch));
  }
  if (spec.pairing == Pairing::sum && spec.boundary == Boundary::constant && spec.constant != 0) {
    refuse(
        fmt::format("pairing sum multiplies the image with weights, which the constant {} outside has none of; take "
                    "the constant 0, or a boundary that repeats the image",
                    spec.constant));
  }
  if (spec.num_kernels > 1 && has_origin(spec) && spec.origin.rule == Origin::Rule::peak) {
    refuse(
        fmt::format("the origin 'peak' is not defined for {} kernels, whose largest voxels may lie apart; name the "
                    "index instead",
                    spec.num_kernels));
  }
  if (spec.batch > std::numeric_limits<Index>::max() / spec.num_kernels) {
    refuse(fmt::format("{} images with {} kernels are too many", spec.batch, spec.num_kernels));
  }
}

}  // namespace

const char* name(Mode value) {
  switch (value) {
    case Mode::full:
      return "full";
    case Mode::same:
      return "same";
    case Mode::valid:
      return "valid";
    case Mode::circular:
      return "circular";
  }
  return "unknown";
}

const char* name(Boundary value) {
  switch (value) {
    case Boundary::zero:
      return "zero";
    case Boundary::constant:
      return "constant";
    case Boundary::reflect:
      return "reflect";
    case Boundary::nearest:
      return "nearest";
    case Boundary::wrap:
      return "wrap";
    case Boundary::mirror:
      return "mirror";
  }
  return "unknown";
}

const char* name(Origin::Rule value) {
  switch (value) {
    case Origin::Rule::center:
      return "center";
    case Origin::Rule::scipy:
      return "scipy";
    case Origin::Rule::first:
      return "first";
    case Origin::Rule::peak:
      return "peak";
    case Origin::Rule::at:
      return "at";
  }
  return "unknown";
}

const char* name(Operation value) {
  switch (value) {
    case Operation::convolve:
      return "convolve";
    case Operation::correlate:
      return "correlate";
    case Operation::flip:
      return "flip";
  }
  return "unknown";
}

const char* name(Pairing value) {
  switch (value) {
    case Pairing::all:
      return "all";
    case Pairing::each:
      return "each";
    case Pairing::sum:
      return "sum";
  }
  return "unknown";
}

const char* name(Precision value) {
  switch (value) {
    case Precision::f32:
      return "f32";
    case Precision::f64:
      return "f64";
  }
  return "unknown";
}

const char* name(NonFinite value) {
  switch (value) {
    case NonFinite::error:
      return "error";
    case NonFinite::zero:
      return "zero";
    case NonFinite::interpolate:
      return "interpolate";
  }
  return "unknown";
}

void validate(const ConvolutionSpec& spec) {
  require_extents(spec.image, "image");
  require_extents(spec.kernel, "kernel");
  if (spec.batch < 1) refuse(fmt::format("a batch of {} images; it must be at least 1", spec.batch));
  require_pairing(spec);
  num_voxels(spec.kernel);
  num_voxels({spec.image.z + spec.kernel.z, spec.image.y + spec.kernel.y, spec.image.x + spec.kernel.x});
  if (spec.mode == Mode::valid && !contains(spec.image, spec.kernel) && !contains(spec.kernel, spec.image)) {
    refuse(
        fmt::format("mode valid needs the image or the kernel to contain the other on every axis, but image {} zyx "
                    "and kernel {} zyx are each longer somewhere; use mode same or full, or crop the kernel",
                    to_text(spec.image), to_text(spec.kernel)));
  }
  if (has_origin(spec) && spec.origin.rule == Origin::Rule::at) require_origin_inside(spec.origin.index, spec.kernel);
  require_boundary_fits_mode(spec);
  require_constant_fits(spec);
  require_missing_fits(spec);
  if (spec.no_data && !std::isfinite(*spec.no_data)) {
    refuse(fmt::format("no_data is {}; it must be finite. NaN and infinite voxels are taken as 0 with --nan zero",
                       *spec.no_data));
  }
  if (spec.region) require_region_inside(*spec.region, shape_of_mode(spec));
}

Shape output_shape(const ConvolutionSpec& spec) {
  validate(spec);
  return spec.region ? spec.region->size : shape_of_mode(spec);
}

Shape whole_output_shape(const ConvolutionSpec& spec) {
  validate(spec);
  return shape_of_mode(spec);
}

Index num_images(const ConvolutionSpec& spec) {
  const bool gathers = spec.pairing == Pairing::all && spec.operation == Operation::correlate;
  return gathers ? spec.batch * spec.num_kernels : spec.batch;
}

Index num_outputs(const ConvolutionSpec& spec) {
  const bool spreads = spec.pairing == Pairing::all && spec.operation != Operation::correlate;
  return spreads ? spec.batch * spec.num_kernels : spec.batch;
}

Shape weights_shape(const ConvolutionSpec& spec) {
  return spec.operation == Operation::correlate ? whole_output_shape(spec) : spec.image;
}

}  // namespace convoy::inline v0
