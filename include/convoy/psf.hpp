// A measured PSF made ready for an image: brought to the image's voxels, and cut to what holds its light.
#pragma once

#include <array>

#include "convoy/export.h"
#include "convoy/image.hpp"
#include "convoy/shape.hpp"

namespace convoy::inline v0 {

/// The PSF at voxels `step` as large along z, y, x (0.5: twice as many of them), around floor(k/2), of the same element
/// if that is f32 or f64, else f32. Between its voxels' centres the PSF is taken as linear, and beyond them as falling
/// to 0 within a voxel; a new voxel is the integral over it, so that sum and sign are kept. An extent k becomes that of
/// the voxels which the old ones' light reaches, and is odd; axes of one voxel stay. Throws Error(invalid_argument) for
/// steps that are not finite or not above 0, and for extents that overflow; OutOfMemory.
CONVOY_API Image resample_psf(const ImageView& psf, const std::array<double, 3>& step);

/// The smallest box around `origin`, as far to one side of it as to the other as long as there are voxels, that along
/// each axis leaves out at most a third of `1 - energy` of the PSF's sum, and so of the sum at most 1 - energy.
/// Negative voxels count as 0. Throws Error(invalid_argument) unless energy is above 0 and at most 1, for an origin
/// outside, for voxels that are not finite, and for a PSF without any above 0.
CONVOY_API Box psf_box(const ImageView& psf, const Shape& origin, double energy);

/// A copy of what lies in the box. Throws Error(invalid_argument) unless the box lies in the image; OutOfMemory.
CONVOY_API Image cut_out(const ImageView& image, const Box& box);

}  // namespace convoy::inline v0
