#include "deconvolution/spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/refuse.hpp"
#include "planner/axis.hpp"
#include "planner/origin.hpp"

namespace convoy::inline v0 {
namespace {

void require_not_negative(double value, const char* what) {
  if (!(value >= 0) || !std::isfinite(value)) refuse(fmt::format("the {} is {}; it must be 0 or more", what, value));
}

void require_richardson_lucy(const DeconvolutionSpec& spec, const char* what) {
  if (spec.algorithm == Algorithm::richardson_lucy) return;
  refuse(fmt::format("{} belongs to Richardson-Lucy, but the algorithm is {}", what, name(spec.algorithm)));
}

void require_extras_fit(const DeconvolutionSpec& spec) {
  const bool accelerated = spec.acceleration == Acceleration::biggs || spec.acceleration == Acceleration::momentum;
  if (accelerated) require_richardson_lucy(spec, "acceleration");
  if (spec.tv > 0) require_richardson_lucy(spec, "total variation");
  if (spec.damping > 0) {
    require_richardson_lucy(spec, "damping");
    if (spec.stop == Stop::gradient_consensus || spec.compatibility != Compatibility::none) {
      refuse("damping goes with neither gradient consensus nor compatibility with scikit-image; leave one out");
    }
  }
  if (!(spec.relaxation > 0 && spec.relaxation < 2)) {
    refuse(fmt::format("the relaxation is {}; it must be above 0 and below 2, from where on nothing converges",
                       spec.relaxation));
  }
  if ((spec.relaxation != 1 || !spec.clip) && spec.algorithm != Algorithm::landweber) {
    refuse(fmt::format("relaxation and clip belong to Landweber, but the algorithm is {}", name(spec.algorithm)));
  }
  if (spec.stop != Stop::none) require_richardson_lucy(spec, name(spec.stop));
  if (spec.stop == Stop::gradient_consensus && spec.acceleration == Acceleration::biggs) {
    refuse("gradient consensus goes with momentum, not with Biggs' acceleration, whose step is one for all voxels");
  }
  if (spec.compatibility == Compatibility::none) return;
  if (spec.stop != Stop::none) refuse("scikit-image has no stop but iterations; leave the stop or compatibility out");
  require_richardson_lucy(spec, "compatibility with scikit-image");
  if (accelerated || spec.tv > 0) {
    refuse("scikit-image has neither acceleration nor total variation; leave compatibility out to use them");
  }
}

/// What would need a number of the whole image after each iteration.
void require_fast_tiles_fit(const DeconvolutionSpec& spec) {
  if (spec.tiles != Tiles::fast) {
    if (spec.region) refuse("a region is restored in fast tiles; choose them (--tiles fast), or crop the image");
    return;
  }
  const auto excluded = [](bool has, const char* what) {
    if (has) refuse(fmt::format("fast tiles do not go together with {}; choose exact tiles", what));
  };
  excluded(spec.algorithm == Algorithm::wiener, "Wiener's filter");
  excluded(spec.edges != Edges::noncirculant, "other edges than noncirculant");
  excluded(spec.acceleration == Acceleration::biggs, "Biggs' acceleration");
  excluded(spec.stop_relative_change > 0, "a relative change to stop at");
  excluded(spec.stop != Stop::none, name(spec.stop));
  excluded(spec.compatibility != Compatibility::none, "compatibility with scikit-image");
}

/// Voxels of the unknown that the data can see.
Index visible(const DeconvolutionSpec& spec, int axis) { return spec.image[axis] + spec.psf[axis] - 1; }

/// Of least length * weight among all smooth lengths, whatever the device.
Index convenient_length(Index at_least) {
  const TransformLengths all(Limits{}, Precision::f32, true, at_least);
  return *all.cheapest(at_least);
}

AxisPlan in_one_tile(const DeconvolutionSpec& spec, int axis, Index padded) {
  const Index frame = frame_axis(spec, axis).frame;
  const Index origin = psf_origin(spec)[axis];
  AxisPlan plan;
  plan.image = plan.output = plan.tile_input = plan.tile_output = plan.extent = frame;
  plan.kernel = plan.kernel_size = spec.psf[axis];
  plan.shift = plan.kernel_delta = origin;
  plan.periodic = spec.edges == Edges::reflect;
  plan.padded = padded;
  if (spec.edges == Edges::zero) {  // what reaches beyond the image on both sides is left out
    const Index last = std::min(plan.kernel - 1, origin + frame - 1);
    plan.kernel_begin = std::max<Index>(0, origin - (frame - 1));
    plan.kernel_size = last - plan.kernel_begin + 1;
  }
  return plan;
}

}  // namespace

const char* name(Algorithm value) {
  switch (value) {
    case Algorithm::richardson_lucy:
      return "rl";
    case Algorithm::wiener:
      return "wiener";
    case Algorithm::landweber:
      return "landweber";
  }
  return "unknown";
}

const char* name(Acceleration value) {
  switch (value) {
    case Acceleration::automatic:
      return "auto";
    case Acceleration::none:
      return "none";
    case Acceleration::biggs:
      return "biggs";
    case Acceleration::momentum:
      return "momentum";
  }
  return "unknown";
}

const char* name(Compatibility value) { return value == Compatibility::skimage ? "skimage" : "none"; }
const char* name(Tiles value) { return value == Tiles::fast ? "fast" : "exact"; }

const char* name(Edges value) {
  switch (value) {
    case Edges::noncirculant:
      return "noncirculant";
    case Edges::zero:
      return "zero";
    case Edges::reflect:
      return "reflect";
  }
  return "unknown";
}

const char* name(Stop value) {
  switch (value) {
    case Stop::none:
      return "none";
    case Stop::gradient_consensus:
      return "gradient-consensus";
    case Stop::discrepancy:
      return "discrepancy";
  }
  return "unknown";
}

const char* name(Start value) {
  switch (value) {
    case Start::automatic:
      return "auto";
    case Start::image:
      return "image";
    case Start::flat:
      return "flat";
    case Start::value:
      return "value";
  }
  return "unknown";
}

const char* name(NegativePsf value) { return value == NegativePsf::error ? "error" : "clip"; }

const char* name(StopReason reason) {
  switch (reason) {
    case StopReason::iterations:
      return "iterations";
    case StopReason::relative_change:
      return "relative-change";
    case StopReason::gradient_consensus:
      return "gradient-consensus";
    case StopReason::discrepancy:
      return "discrepancy";
  }
  return "unknown";
}

ConvolutionSpec blur_of(const DeconvolutionSpec& spec) {
  ConvolutionSpec blur;
  blur.image = spec.image;
  blur.kernel = spec.psf;
  blur.origin = spec.origin;
  blur.precision = spec.precision;
  blur.normalize_kernel = spec.compatibility != Compatibility::skimage;
  return blur;
}

Shape output_shape(const DeconvolutionSpec& spec) { return spec.region ? spec.region->size : spec.image; }

std::uint64_t num_acceleration_images(Acceleration acceleration) {
  switch (acceleration) {
    case Acceleration::biggs:
      return 2;
    case Acceleration::momentum:
      return 1;
    case Acceleration::automatic:
    case Acceleration::none:
      break;
  }
  return 0;
}

double least_wiener_noise(Precision precision) { return precision == Precision::f32 ? 1e-12 : 1e-28; }

Shape psf_origin(const DeconvolutionSpec& spec) { return resolve_origin(blur_of(spec), nullptr); }

void validate(const DeconvolutionSpec& spec) {
  ConvolutionSpec blur = blur_of(spec);  // has the same rules for extents, origin and region
  blur.region = spec.region;
  validate(blur);
  if (spec.num_psfs < 1) refuse(fmt::format("the number of PSFs is {}; it must be at least 1", spec.num_psfs));
  if (spec.iterations < 0 && spec.iterations != kDefaultIterations)
    refuse(fmt::format("{} iterations cannot be done", spec.iterations));
  require_not_negative(spec.background, "background");
  require_not_negative(spec.stop_relative_change, "relative change to stop at");
  require_not_negative(spec.tv, "total variation's weight");
  require_not_negative(spec.wiener_noise, "noise power of Wiener's filter");
  if (spec.tv >= 1) refuse(fmt::format("total variation's weight is {}; it must be below 1", spec.tv));
  for (const double distance : spec.voxel_size) {
    if (!(distance > 0) || !std::isfinite(distance)) {
      refuse(fmt::format("the voxel size is {}; it must be above 0 along every axis", distance));
    }
  }
  if (spec.start == Start::value && !(spec.start_value > 0 && std::isfinite(spec.start_value))) {
    refuse(fmt::format("the start value is {}; it must be above 0: what starts at 0 stays there", spec.start_value));
  }
  if (spec.non_finite == NonFinite::interpolate) {
    refuse("a deconvolution does not interpolate NaN: it takes it as missing (--nan mask), which asks nothing of it");
  }
  if (std::isnan(spec.saturation)) refuse("the saturation is not a number");
  require_not_negative(spec.halo, "halo of fast tiles");
  require_extras_fit(spec);
  require_fast_tiles_fit(spec);
}

DeconvolutionSpec settled(DeconvolutionSpec spec) {
  if (spec.acceleration == Acceleration::automatic) {
    const bool has_it = spec.algorithm == Algorithm::richardson_lucy && spec.compatibility == Compatibility::none;
    spec.acceleration = has_it ? Acceleration::momentum : Acceleration::none;
  }
  if (spec.iterations == kDefaultIterations) spec.iterations = spec.stop == Stop::none ? 25 : 200;
  if (spec.algorithm == Algorithm::wiener) {
    spec.iterations = 0;
    if (spec.edges == Edges::noncirculant) spec.edges = Edges::reflect;
  }
  if (spec.compatibility == Compatibility::skimage) {
    spec.edges = Edges::zero;
    spec.start = Start::flat;
    spec.background = 0;
    spec.estimate_background = false;
    spec.origin = {Origin::Rule::scipy, {}};
    spec.normalize_psf = false;
    spec.saturation = std::numeric_limits<double>::infinity();
    spec.non_finite = NonFinite::error;
  }
  return spec;
}

FrameAxis frame_axis(const DeconvolutionSpec& spec, int axis) {
  const Index n = spec.image[axis];
  switch (spec.edges) {
    case Edges::noncirculant: {
      // Image voxel i sees frame voxels i to i + k - 1; its own place is origin voxels before the last.
      const Index begin = spec.psf[axis] - 1 - psf_origin(spec)[axis];
      return {visible(spec, axis), begin, n, begin, n, 0};
    }
    case Edges::reflect: {
      const Index frame = convenient_length(visible(spec, axis));
      return {frame, 0, frame, (frame - n) / 2, n, 0};
    }
    case Edges::zero:
      break;
  }
  const bool displaced = spec.compatibility == Compatibility::skimage && spec.psf[axis] % 2 == 0;
  const Index shift = displaced ? 1 : 0;  // the correction of voxel 0 is that of the voxel before it
  return {n + shift, shift, n, shift, n, shift};
}

Index longest_frame(const DeconvolutionSpec& spec, int axis) { return spec.image[axis] + spec.psf[axis] + 1; }

/// For noncirculant edges the window alone is used of what the circular transform gives, so the frame's own length is
/// enough: light that wraps round never reaches the window.
std::vector<AxisPlan> frame_options(const DeconvolutionSpec& spec, int axis, const TransformLengths& lengths) {
  const Index frame = frame_axis(spec, axis).frame;
  if (spec.edges == Edges::reflect) {
    if (!lengths.admits(frame)) return {};
    return {in_one_tile(spec, axis, frame)};
  }
  const Index required = spec.edges == Edges::zero ? required_period(in_one_tile(spec, axis, 1)) : frame;
  const auto cheapest = lengths.cheapest(required);
  if (!cheapest) return {};
  std::vector<AxisPlan> options{in_one_tile(spec, axis, *cheapest)};
  const Index smallest = *lengths.smallest(required);
  if (smallest < *cheapest) options.push_back(in_one_tile(spec, axis, smallest));
  return options;
}

}  // namespace convoy::inline v0
