// Arrays on a device that callers hand in, checked at the door.
#pragma once

#include <cstdint>

#include "convoy/resident.hpp"

namespace convoy {

/// Memory, shape, element and number of images. Throws Error(invalid_argument).
void require_array(const char* what, const DeviceArray& given, Element element, const Shape& shape, Index batch);

/// Arrays in two Vulkan buffers may lie in the same memory all the same: that is the caller's to know. Throws
/// Error(invalid_argument).
void require_apart(const DeviceArray& image, const DeviceArray& output, bool handles_are_addresses);

}  // namespace convoy
