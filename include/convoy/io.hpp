// Image files: TIFF and NumPy in and out, PNG for pictures. Shapes are z, y, x; a page of a TIFF is a plane of z.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "convoy/image.hpp"
#include "convoy/shape.hpp"

namespace convoy {

/// Distance between voxel centres, in `unit` ("micron", "nm" ...; empty when the file names none).
struct VoxelSize {
  double z = 1;
  double y = 1;
  double x = 1;
  std::string unit;
};

/// What a file tells about an image beside its voxels.
struct ImageMetadata {
  int num_axes = 3;  ///< axes the file has (1 to 3); a .npy file is written with as many, if the shape allows it
  std::optional<VoxelSize> voxel_size;
};

/// An image that owns its voxels: dense, z, y, x with x contiguous, in the machine's byte order.
struct Image {
  Shape shape;
  Element element = Element::f32;
  std::vector<std::byte> bytes;
  ImageMetadata metadata;

  ImageView view() const { return {bytes.data(), element, shape}; }
  MutableImageView mutable_view() { return {bytes.data(), element, shape}; }
};

/// An image of zeros. Throws Error(invalid_argument) for extents below 1, OutOfMemory if the machine has no room for
/// it.
Image make_image(const Shape& shape, Element element);

/// Reads .tif, .tiff or .npy. Blocks.
///
/// TIFF: classic and BigTIFF, both byte orders, strips and tiles, every compression that libtiff knows, pages of one
/// size as planes of z; ImageJ stacks (also those above 4 GB, one directory followed by raw planes), OME-TIFF and
/// tifffile's shape are understood. NumPy: versions 1 to 3, C and Fortran order, both byte orders, 1 to 3 axes.
/// Voxels of 8 and 16 bit unsigned, 32 and 64 bit float stay what they are; 8 and 16 bit signed become f32; 32 bit
/// integers become f64, which holds them exactly.
///
/// Throws Error(io), naming the file, for anything else: several samples, channels, time points or series, unequal
/// pages, truncated files, and files that promise more than they hold (before memory is taken for it);
/// OutOfMemory if the machine has no room for the image.
Image read_image(const std::string& path);

/// Writes .tif, .tiff or .npy, whole or not at all: the file is made under a temporary name in the same folder and then
/// renamed. Blocks. TIFF is uncompressed, one page per plane, with ImageJ's description when there are several;
/// BigTIFF above 2 GiB. Throws Error(io), naming the file.
void write_image(const std::string& path, const ImageView& image, const ImageMetadata& metadata = {});

/// Writes a greyscale PNG from a u8 image with z = 1, whole or not at all. Throws Error(io).
void write_png(const std::string& path, const ImageView& image);

/// Writes a text file, whole or not at all. Throws Error(io).
void write_text(const std::string& path, const std::string& text);

/// Throws Error(io) unless write_image could begin to write `path` now: known extension, existing folder, permission.
/// For asking before hours of computing. Leaves nothing behind.
void require_writable_image(const std::string& path);

/// The same for a file of any kind.
void require_writable(const std::string& path);

}  // namespace convoy
