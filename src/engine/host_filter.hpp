// The caller's kernel as the device wants it: checked, normalised, reversed, folded, cropped (see AxisPlan).
#pragma once

#include "convoy/image.hpp"
#include "convoy/plan.hpp"

namespace convoy {

/// Throws Error(invalid_argument) for NaN or infinite voxels; `what` the kernel is called: "kernel" or "PSF".
void require_finite_kernel(const char* what, const ImageView& kernel);

/// What the kernel shall be multiplied with: 1, or 1 / sum when spec.normalize_kernel is set.
/// Throws Error(invalid_argument) for NaN or infinite voxels, and for a sum that cannot be divided by.
double kernel_scale(const ConvolutionSpec& spec, const ImageView& kernel);

/// Sum of the magnitudes of all voxels.
double magnitude(const ImageView& kernel);

/// Fills `port` with kernel_size reals per axis in device order. `Real` is the plan's precision.
template <class Real>
void write_kernel(const Plan& plan, const ImageView& kernel, double scale, Real* port);

}  // namespace convoy
