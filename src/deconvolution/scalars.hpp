// The numbers that a deconvolution's kernels read, from what the data turned out to be.
#pragma once

#include <array>

#include "deconvolution/observed_data.hpp"
#include "deconvolution/sum_threads.hpp"
#include "engine/scatter.hpp"

namespace convoy {

using Scalars = std::array<double, kNumScalars>;

/// In the device's unit. `psf_magnitude`: sum of the magnitudes of the device's PSF.
Scalars scalars_of(const DeconvolutionPlan& plan, const ObservedCounts& counts, double psf_magnitude);

/// What makes output voxels of the device's.
OutputScale output_scale(const DeconvolutionPlan& plan, const ObservedCounts& counts);

}  // namespace convoy
