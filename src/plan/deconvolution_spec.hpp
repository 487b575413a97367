// What a deconvolution's spec comes down to.
#pragma once

#include "convoy/deconvolution.hpp"

namespace convoy {

/// The spec with what its algorithm and compatibility rule over filled in.
DeconvolutionSpec settled(DeconvolutionSpec spec);

/// The blur of the image with the PSF.
ConvolutionSpec blur_of(const DeconvolutionSpec& spec);

/// The origin must be resolved: any rule but peak.
Shape psf_origin(const DeconvolutionSpec& spec);

}  // namespace convoy
