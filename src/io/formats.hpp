// The file formats behind read_image and write_image.
#pragma once

#include <string>

#include "convoy/io.hpp"

namespace convoy::io {

Image read_tiff(const std::string& path);
void write_tiff(const std::string& path, const ImageView& image, const ImageMetadata& metadata);
Image read_npy(const std::string& path);
void write_npy(const std::string& path, const ImageView& image, const ImageMetadata& metadata);

/// make_image that names the file for which there is no room.
Image make_image_for(const std::string& path, const Shape& shape, Element element);

}  // namespace convoy::io
