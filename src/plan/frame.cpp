#include "plan/frame.hpp"

#include <algorithm>

#include "plan/axis.hpp"

namespace convoy {
namespace {

/// Voxels of the unknown that the data can see.
Index visible(const DeconvolutionSpec& spec, int axis) { return spec.image[axis] + spec.psf[axis] - 1; }

FrameAxis frame_of(const DeconvolutionSpec& spec, Index origin, int axis, Index padded) {
  const Index n = spec.image[axis];
  switch (spec.edges) {
    case Edges::noncirculant: {
      // Image voxel i sees frame voxels i to i + k - 1; its own place is origin voxels before the last.
      const Index begin = spec.psf[axis] - 1 - origin;
      return {visible(spec, axis), begin, n, begin, n};
    }
    case Edges::reflect: {
      const Index begin = (padded - n) / 2;
      return {padded, 0, padded, begin, n};
    }
    case Edges::zero:
      break;
  }
  return {n, 0, n, 0, n};
}

FrameOption option_of(const DeconvolutionSpec& spec, Index origin, int axis, Index padded) {
  FrameOption option;
  option.frame = frame_of(spec, origin, axis, padded);
  AxisPlan& plan = option.convolution;
  const Index frame = option.frame.frame;
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
  return option;
}

/// The window alone is used of what the circular transform gives, so the frame's own length is enough for noncirculant
/// edges: light that wraps round never reaches the window.
Index required_length(const DeconvolutionSpec& spec, Index origin, int axis) {
  if (spec.edges != Edges::zero) return visible(spec, axis);
  return required_period(option_of(spec, origin, axis, 1).convolution);
}

}  // namespace

Index longest_frame(const DeconvolutionSpec& spec, int axis) { return spec.image[axis] + spec.psf[axis]; }

std::vector<FrameOption> frame_options(const DeconvolutionSpec& spec, const Shape& origin, int axis,
                                       const TransformLengths& lengths) {
  const Index required = required_length(spec, origin[axis], axis);
  const auto cheapest = lengths.cheapest(required);
  if (!cheapest) return {};
  std::vector<FrameOption> options{option_of(spec, origin[axis], axis, *cheapest)};
  const Index smallest = *lengths.smallest(required);
  if (smallest < *cheapest) options.push_back(option_of(spec, origin[axis], axis, smallest));
  return options;
}

}  // namespace convoy
