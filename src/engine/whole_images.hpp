// Images of readers and writers as a whole, in memory.
#pragma once

#include "convoy/image.hpp"
#include "convoy/stream.hpp"

namespace convoy::inline v0 {

/// Throw what reader and writer throw, and OutOfMemory.
Image read_whole(const ImageReader& reader);
void write_whole(const ImageView& dense, ImageWriter& writer);

}  // namespace convoy::inline v0
