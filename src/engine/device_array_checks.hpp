// Arrays on a device that callers hand in, checked at the door.
#pragma once

#include <cstdint>

#include "convoy/resident.hpp"

namespace convoy::inline v0 {

/// The same as an image in host memory, of which distances may be asked, but no voxels.
ImageView view_of(const DeviceArray& array, bool handles_are_addresses);
MutableImageView mutable_view_of(const DeviceArray& array, bool handles_are_addresses);

/// Memory, shape, element, number of images and distances. Throws Error(invalid_argument).
void require_array(const char* what, const DeviceArray& given, const DeviceArray& planned);

/// Arrays in two Vulkan buffers may lie in the same memory all the same: that is the caller's to know. Throws
/// Error(invalid_argument).
void require_apart(const DeviceArray& image, const DeviceArray& output, bool handles_are_addresses);

}  // namespace convoy::inline v0
