// What a deconvolution's spec comes down to.
#pragma once

#include "convoy/deconvolution.hpp"

namespace convoy {

/// The spec with what its algorithm and compatibility rule over filled in.
DeconvolutionSpec settled(DeconvolutionSpec spec);

/// The blur of the image with the PSF, which is of sum 1 on the device whatever spec.normalize_psf says; scikit-image's
/// alone is taken as it is.
ConvolutionSpec blur_of(const DeconvolutionSpec& spec);

/// r of Wiener's filter counts as this at least: the square of what rounding leaves of a zero of the PSF's spectrum.
double least_wiener_noise(Precision precision);

/// The origin must be resolved: any rule but peak.
Shape psf_origin(const DeconvolutionSpec& spec);

}  // namespace convoy
