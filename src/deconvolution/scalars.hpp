// The numbers that a deconvolution's kernels read, from what the data turned out to be.
#pragma once

#include <array>

#include "deconvolution/observed_data.hpp"
#include "deconvolution/sum_threads.hpp"
#include "engine/scatter.hpp"

namespace convoy::inline v0 {

using Scalars = std::array<double, kNumScalars>;

/// In the device's unit. `psf_magnitude`: sum of the magnitudes of the device's PSF.
Scalars scalars_of(const DeconvolutionPlan& plan, const ObservedCounts& counts, double psf_magnitude);

/// The same for devices that look at the data themselves (kernels::take_scalars).
struct ScalarRules {
  Index start_rule = 0;
  double start = 0;  ///< in the image's units times the PSF's sum
  double step = 0;
  double least_start_part = 0;
  double least_blurred_part = 0;
  double softness_part = 0;
  double least_threshold = 0;
  double highest_start = 0;
};
/// Not for Compatibility::skimage.
ScalarRules scalar_rules(const DeconvolutionPlan& plan, double psf_magnitude);

/// What makes output voxels of the device's.
OutputScale output_scale(const DeconvolutionPlan& plan, const ObservedCounts& counts);

}  // namespace convoy::inline v0
