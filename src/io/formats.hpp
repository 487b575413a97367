// The file formats behind open_image and create_image.
#pragma once

#include <memory>
#include <string>

#include "convoy/io.hpp"
#include "io/stored_images.hpp"
#include "io/voxel_layout.hpp"

namespace convoy::io {

std::unique_ptr<StoredImages> open_tiff(const std::string& path, const OpenOptions& options);
std::unique_ptr<StoredImages> open_npy(const std::string& path, const OpenOptions& options);
std::unique_ptr<StoredImages> open_zarr(const std::string& path, const OpenOptions& options);
std::unique_ptr<StoredImages> open_raw(const std::string& path, const RawLayout& raw);

/// What is known of an uncompressed file before its voxels are: its bytes up to `header` and where the voxels go.
struct FileDesign {
  std::string header;
  VoxelLayout layout;
  std::uint64_t file_bytes = 0;
};

/// A header, and behind it all voxels without gaps.
FileDesign design_dense(std::string header, const Shape& shape, Element element, const ImageMetadata& metadata);
FileDesign design_tiff(const std::string& path, const Shape& shape, Element element, const ImageMetadata& metadata);
FileDesign design_npy(const Shape& shape, Element element, const ImageMetadata& metadata);

/// make_image that names the file for which there is no room.
Image make_image_for(const std::string& path, const Shape& shape, Element element);

}  // namespace convoy::io
