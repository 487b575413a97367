// The frame of a deconvolution along one axis: what the unknown, the data and the transform have in common.
#pragma once

#include <vector>

#include "convoy/deconvolution.hpp"
#include "plan/lengths.hpp"

namespace convoy {

struct FrameOption {
  FrameAxis frame;
  AxisPlan convolution;  ///< of the frame, in one tile
};

/// The cheapest transform and the smallest. Empty if the device can transform neither. The origin must be resolved.
std::vector<FrameOption> frame_options(const DeconvolutionSpec& spec, const Shape& origin, int axis,
                                       const TransformLengths& lengths);

/// The longest transform that any option may ask for.
Index longest_frame(const DeconvolutionSpec& spec, int axis);

}  // namespace convoy
