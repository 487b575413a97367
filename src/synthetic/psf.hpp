// What all PSFs by formula share.
#pragma once

#include "convoy/image.hpp"

namespace convoy::inline v0 {

/// Throws Error(invalid_argument) unless the PSF has voxels and they are floats.
void require_float_psf(const MutableImageView& psf);

/// Divides every voxel by the sum of all.
void normalize_sum(const MutableImageView& psf);

}  // namespace convoy::inline v0
