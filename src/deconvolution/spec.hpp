// What a deconvolution's spec comes down to, and its frame: what the unknown, the data and the transform have in
// common.
#pragma once

#include <vector>

#include "convoy/deconvolution.hpp"
#include "planner/lengths.hpp"

namespace convoy::inline v0 {

/// The spec with what its algorithm and compatibility rule over filled in.
DeconvolutionSpec settled(DeconvolutionSpec spec);

/// The blur of the image with the PSF, which is of sum 1 on the device whatever spec.normalize_psf says; scikit-image's
/// alone is taken as it is.
ConvolutionSpec blur_of(const DeconvolutionSpec& spec);

/// Images of the frame's extents that it takes.
std::uint64_t num_acceleration_images(Acceleration acceleration);

/// r of Wiener's filter counts as this at least: the square of what rounding leaves of a zero of the PSF's spectrum.
double least_wiener_noise(Precision precision);

/// The origin must be resolved: any rule but peak.
Shape psf_origin(const DeconvolutionSpec& spec);

/// The spec must be settled, its origin resolved. Does not depend on the device: tiles must find the same frame as the
/// whole.
FrameAxis frame_axis(const DeconvolutionSpec& spec, int axis);

/// The convolution of the frame, in one tile: with the cheapest transform, and with the smallest. Empty if the device
/// can transform neither.
std::vector<AxisPlan> frame_options(const DeconvolutionSpec& spec, int axis, const TransformLengths& lengths);

/// The longest transform that any option may ask for.
Index longest_frame(const DeconvolutionSpec& spec, int axis);

}  // namespace convoy::inline v0
