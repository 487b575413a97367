#include <png.h>

#include <cerrno>
#include <cstdio>
#include <memory>

#include "base/dense_view.hpp"
#include "convoy/io.hpp"
#include "io/io_error.hpp"
#include "io/output_file.hpp"

namespace convoy {
namespace {

/// What libpng writes goes to the file; the first error is kept, for no exception may pass through libpng.
struct PngTarget {
  io::OutputFile& file;
  std::string problem;

  static ssize_t write(void* target, const char* bytes, std::size_t count) {
    auto& self = *static_cast<PngTarget*>(target);
    try {
      self.file.write(bytes, count);
      return static_cast<ssize_t>(count);
    } catch (const Error& error) {
      self.problem = error.what();
      errno = EIO;
      return 0;
    }
  }
};

}  // namespace

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
  PngTarget target{output, ""};
  cookie_io_functions_t functions{};
  functions.write = PngTarget::write;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(::fopencookie(&target, "wb", functions), &std::fclose);
  if (!stream) io::fail(path, "cannot be written: there is no memory for it");
  png_image picture{};
  picture.version = PNG_IMAGE_VERSION;
  picture.width = static_cast<png_uint_32>(image.shape.x);
  picture.height = static_cast<png_uint_32>(image.shape.y);
  picture.format = PNG_FORMAT_GRAY;
  const int written = png_image_write_to_stdio(&picture, stream.get(), 0, DenseView(image).view().data, 0, nullptr);
  const std::string message = picture.message;
  png_image_free(&picture);
  const bool closed = std::fclose(stream.release()) == 0;
  if (!target.problem.empty()) throw Error(Errc::io, target.problem);
  if (written == 0 || !closed) io::fail(path, "cannot be written: {}", message);
  output.commit();
}

}  // namespace convoy
