// What callers hand in, checked at the door.
#pragma once

#include "convoy/image.hpp"
#include "convoy/spec.hpp"
#include "exec/voxel_sums.hpp"

namespace convoy {

/// Each throws Error(invalid_argument).
void require_data(const char* what, const void* data);
void require_shape(const char* what, const Shape& given, const Shape& expected);
void require_apart(const ImageView& image, const MutableImageView& output);
/// Unless the spec takes non-finite voxels as 0. `met`: of the image.
void require_finite(const ConvolutionSpec& spec, const InputSums& met);

}  // namespace convoy
