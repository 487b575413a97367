#include <png.h>

#include "convoy/io.hpp"
#include "io/io_error.hpp"
#include "io/output_file.hpp"

namespace convoy {

void write_png(const std::string& path, const ImageView& image) {
  if (image.element != Element::u8 || image.shape.z != 1) {
    io::fail(path, "a PNG holds one u8 plane, not {} {}", to_text(image.shape), name(image.element));
  }
  constexpr Index kLargestExtent = 1'000'000;  // libpng's own limit
  if (image.shape.y > kLargestExtent || image.shape.x > kLargestExtent) {
    io::fail(path, "a picture of {}x{} pixels is larger than a PNG may be ({} per axis)", image.shape.y, image.shape.x,
             kLargestExtent);
  }
  io::OutputFile output(path);
  png_image picture{};
  picture.version = PNG_IMAGE_VERSION;
  picture.width = static_cast<png_uint_32>(image.shape.x);
  picture.height = static_cast<png_uint_32>(image.shape.y);
  picture.format = PNG_FORMAT_GRAY;
  const int written = png_image_write_to_stdio(&picture, output.stream(), 0, image.data, 0, nullptr);
  const std::string message = picture.message;
  png_image_free(&picture);
  if (written == 0) io::fail(path, "cannot be written: {}", message);
  output.commit();
}

}  // namespace convoy
