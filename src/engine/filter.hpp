// The caller's kernel (PSF) on its way to the device: checked, normalised, reversed, folded, cropped (see AxisPlan),
// and transformed there. Dense (base/dense_view.hpp), as convolvers make it.
#pragma once

#include <optional>
#include <vector>

#include "backends/backend.hpp"
#include "convoy/image.hpp"
#include "convoy/plan.hpp"

namespace convoy::inline v0 {

/// Throws Error(invalid_argument) for NaN or infinite voxels; `what` the kernel is called: "kernel" or "PSF".
void require_finite_filter(const char* what, const ImageView& kernel);

/// What the kernel shall be multiplied with: 1, or 1 / sum when spec.normalize_kernel is set.
/// Throws Error(invalid_argument) for NaN or infinite voxels, and for a sum that cannot be divided by.
double filter_scale(const ConvolutionSpec& spec, const ImageView& kernel);

/// Sum of the magnitudes of all voxels.
double magnitude(const ImageView& kernel);

/// Fills `port` with kernel_size reals per axis in device order. `Real` is the plan's precision.
template <class Real>
void write_filter(const Plan& plan, const ImageView& kernel, double scale, Real* port);

/// What each kernel shall be multiplied with, and the most that an output is of an image whose voxels are 1 at most:
/// the sum of a kernel's magnitudes then; of kernels that are added up their sum, times their weights' magnitudes.
struct FilterScale {
  std::vector<double> factors;
  double magnitude = 0;
  double sum = 0;  ///< likewise, of the voxels themselves; for NonFinite::interpolate
};

/// Checks spec, kernels and weights, and resolves the spec's origin. Of real kernels. Throws Error(invalid_argument) as
/// Convolver's constructor does.
FilterScale resolve_spec(ConvolutionSpec& spec, const ImageView& kernels, const std::optional<ImageView>& weights);

/// What set_up_filter() hands to the device, of a plan in f32 that transforms nothing.
std::vector<float> filter_taps(const Plan& plan, const ImageView& kernel, double scale);

/// Runs the set-up of a session whose program has ports::kernel, and waits for it.
void set_up_filter(backend::Session& session, const Plan& plan, const ImageView& kernels,
                   const std::vector<double>& factors);

}  // namespace convoy::inline v0
