// What is often wrong with a kernel, reported before it is used.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "convoy/image.hpp"

namespace convoy::cli {

/// A warning if the peak lies more than a voxel from the origin. `what` the kernel is called: "kernel" or "PSF".
std::optional<std::string> origin_warning(const char* what, const ImageView& kernel, const Shape& origin);

/// Warnings, one line each: the peak lies more than a voxel from the origin, or there are negative values.
std::vector<std::string> kernel_warnings(const ImageView& kernel, const Shape& origin);

}  // namespace convoy::cli
