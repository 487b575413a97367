// What callers hand in, checked at the door.
#pragma once

#include "convoy/image.hpp"

namespace convoy {

/// Each throws Error(invalid_argument).
void require_data(const char* what, const void* data);
void require_shape(const char* what, const Shape& given, const Shape& expected);
void require_apart(const ImageView& image, const MutableImageView& output);

}  // namespace convoy
