#include <png.h>

#include "base/dense_view.hpp"
#include "convoy/io.hpp"
#include "io/io_error.hpp"

namespace convoy::inline v0 {
namespace {

void require_png(const std::string& path, const ImageView& image) {
  if (image.element != Element::u8 || image.shape.z != 1) {
    io::fail(path, "a PNG holds one u8 plane, not {} {}", to_text(image.shape), name(image.element));
  }
  constexpr Index kLargestExtent = 1'000'000;  // libpng's own limit
  if (image.shape.y > kLargestExtent || image.shape.x > kLargestExtent) {
    io::fail(path, "a picture of {}x{} pixels is larger than a PNG may be ({} per axis)", image.shape.y, image.shape.x,
             kLargestExtent);
  }
}

/// The bytes of a PNG; `path` names it in errors.
std::string encode(const std::string& path, const ImageView& image) {
  require_png(path, image);
  png_image picture{};
  picture.version = PNG_IMAGE_VERSION;
  picture.width = static_cast<png_uint_32>(image.shape.x);
  picture.height = static_cast<png_uint_32>(image.shape.y);
  picture.format = PNG_FORMAT_GRAY;
  const DenseView dense(image);
  std::string bytes(PNG_IMAGE_PNG_SIZE_MAX(picture), '\0');
  png_alloc_size_t size = bytes.size();
  const int written = png_image_write_to_memory(&picture, bytes.data(), &size, 0, dense.view().data, 0, nullptr);
  const std::string message = picture.message;
  png_image_free(&picture);
  if (written == 0) io::fail(path, "cannot be written: {}", message);
  bytes.resize(size);
  return bytes;
}

}  // namespace

std::string encode_png(const ImageView& image) { return encode("PNG", image); }

void write_png(const std::string& path, const ImageView& image) { write_text(path, encode(path, image)); }

}  // namespace convoy::inline v0
