// The caller's PSF as a deconvolution takes it: not negative anywhere, of a sum that can be divided by, and within
// reach of the image.
#pragma once

#include <cstddef>
#include <vector>

#include "convoy/deconvolution.hpp"

namespace convoy::inline v0 {

struct PreparedPsf {
  std::vector<std::byte> storage;  ///< of a copy, where the PSF cannot be taken as it is
  ImageView view;                  ///< the caller's PSF, or the copy
  double scale = 1;                ///< the device's PSF is the view's voxels times this: of sum 1, but for scikit-image
  double sum = 1;                  ///< what divides the device's result: that of the PSF as used
  double reach = 1;                ///< part of the sum that lies within the image's reach (edges zero)
  double magnitude = 1;            ///< sum of the magnitudes of the device's PSF
  PsfReport report;
};

/// The spec is settled, its origin resolved. Throws Error(invalid_argument) for NaN and infinite voxels, negative ones
/// with NegativePsf::error, a sum of 0, and a PSF of which a hundredth or less reaches the image.
PreparedPsf prepare_psf(const DeconvolutionSpec& spec, const ImageView& psf);

}  // namespace convoy::inline v0
