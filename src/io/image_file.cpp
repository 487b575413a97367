#include <algorithm>
#include <cctype>
#include <filesystem>
#include <new>
#include <stdexcept>

#include "convoy/io.hpp"
#include "convoy/plan.hpp"
#include "io/formats.hpp"
#include "io/io_error.hpp"

namespace convoy {
namespace {

enum class Format { tiff, npy };

Format format_of(const std::string& path) {
  std::string extension = std::filesystem::path(path).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (extension == ".tif" || extension == ".tiff") return Format::tiff;
  if (extension == ".npy") return Format::npy;
  const std::string found = extension.empty() ? "no file name extension" : fmt::format("extension '{}'", extension);
  io::fail(path, "has {}; known image files are .tif, .tiff and .npy", found);
}

}  // namespace

Image make_image(const Shape& shape, Element element) {
  const std::uint64_t bytes = saturating_product(static_cast<std::uint64_t>(num_voxels(shape)), size_of(element));
  Image image;
  image.shape = shape;
  image.element = element;
  try {
    image.bytes.resize(bytes);
  } catch (const std::exception&) {  // bad_alloc, or length_error beyond the address space
    throw OutOfMemory(fmt::format("an image of {} {} voxels needs {} of memory, which this machine does not give",
                                  to_text(shape), name(element), bytes_to_text(bytes)),
                      bytes, 0, "host memory");
  }
  return image;
}

Image io::make_image_for(const std::string& path, const Shape& shape, Element element) {
  try {
    return make_image(shape, element);
  } catch (const OutOfMemory& error) {
    throw OutOfMemory(path + ": " + error.what(), error.requested_bytes(), error.limit_bytes(), error.limit_name());
  }
}

Image read_image(const std::string& path) {
  return format_of(path) == Format::tiff ? io::read_tiff(path) : io::read_npy(path);
}

void write_image(const std::string& path, const ImageView& image, const ImageMetadata& metadata) {
  num_voxels(image.shape);
  if (format_of(path) == Format::tiff) {
    io::write_tiff(path, image, metadata);
  } else {
    io::write_npy(path, image, metadata);
  }
}

void require_writable_image(const std::string& path) {
  format_of(path);
  require_writable(path);
}

}  // namespace convoy
