#include "deconvolution/frame.hpp"

#include <algorithm>

#include "planner/axis.hpp"
#include "deconvolution/spec.hpp"

namespace convoy {
namespace {

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

}  // namespace convoy
