// What is often wrong with a kernel, said before it is believed.
#pragma once

#include <string>
#include <vector>

#include "convoy/image.hpp"

namespace convoy::cli {

/// Warnings, one line each: the peak lies more than a voxel from the origin, or there are negative values.
std::vector<std::string> kernel_warnings(const ImageView& kernel, const Shape& origin);

}  // namespace convoy::cli
