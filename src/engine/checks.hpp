// What callers hand in, checked at the door.
#pragma once

#include "convoy/image.hpp"
#include "convoy/spec.hpp"
#include "engine/voxel_sums.hpp"

namespace convoy {

/// Each throws Error(invalid_argument).
void require_data(const char* what, const void* data);
void require_shape(const char* what, const Shape& given, const Shape& expected);
void require_apart(const ImageView& image, const MutableImageView& output);
/// No voxel is too large (VoxelRules::largest) and, unless the spec takes those as 0, none is NaN or infinite. `met`:
/// of the image.
void require_usable(const ConvolutionSpec& spec, const InputSums& met);
bool is_usable(const ConvolutionSpec& spec, const InputSums& met);

}  // namespace convoy
