// The frame of a deconvolution along one axis: what the unknown, the data and the transform have in common.
#pragma once

#include <vector>

#include "convoy/deconvolution.hpp"
#include "planner/lengths.hpp"

namespace convoy {

/// The spec must be settled, its origin resolved. Does not depend on the device: tiles must find the same frame as the
/// whole.
FrameAxis frame_axis(const DeconvolutionSpec& spec, int axis);

/// The convolution of the frame, in one tile: with the cheapest transform, and with the smallest. Empty if the device
/// can transform neither.
std::vector<AxisPlan> frame_options(const DeconvolutionSpec& spec, int axis, const TransformLengths& lengths);

/// The longest transform that any option may ask for.
Index longest_frame(const DeconvolutionSpec& spec, int axis);

}  // namespace convoy
