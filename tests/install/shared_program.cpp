// A program that uses a shared libconvoy: results, errors of the library's types, and exceptions of its own that pass
// through.
#include <convoy/convoy.hpp>
#include <cstdio>
#include <vector>

namespace {

struct Stop {};

class Source : public convoy::ImageReader {
 public:
  convoy::Shape shape() const override { return {1, 5, 7}; }
  convoy::Element element() const override { return convoy::Element::f32; }
  convoy::Shape chunk() const override { return shape(); }
  void read(const convoy::Box&, std::byte*) const override { throw Stop(); }
};

class Sink : public convoy::ImageWriter {
 public:
  convoy::Shape shape() const override { return {1, 5, 7}; }
  convoy::Element element() const override { return convoy::Element::f32; }
  convoy::Shape chunk() const override { return shape(); }
  void write(const convoy::Box&, const std::byte*) override {}
};

bool failed(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  return true;
}

}  // namespace

int main() {
  const convoy::Shape image_shape{1, 5, 7}, kernel_shape{1, 3, 3};
  std::vector<float> image(5 * 7, 1.0f), kernel(3 * 3, 1.0f);
  const convoy::Image output = convoy::convolve({image, image_shape}, {kernel, kernel_shape});
  const auto blurred = output.voxels<float>();
  if (blurred[2 * 7 + 3] < 8.99f || blurred[2 * 7 + 3] > 9.01f) return failed("a wrong result");

  try {
    convoy::open_device("nothing:0");
    return failed("no error");
  } catch (const convoy::Error& error) {
    if (error.code() != convoy::Errc::invalid_argument) return failed(error.what());
  }
  convoy::ConvolutionSpec spec;
  spec.image = {512, 512, 512};
  spec.kernel = {3, 3, 3};
  convoy::Limits limits;
  limits.free_bytes = 100;
  try {
    convoy::make_plan(spec, limits);
    return failed("a plan in 100 bytes");
  } catch (const convoy::OutOfMemory& error) {
    if (error.requested_bytes() <= 100) return failed(error.what());
  }

  spec.image = image_shape;
  spec.kernel = kernel_shape;
  convoy::Convolver convolver(spec, {kernel, kernel_shape}, convoy::open_device("cpu"));
  Sink sink;
  try {
    convolver.run(Source(), sink);
    return failed("the reader's exception is lost");
  } catch (const Stop&) {
  }
  std::puts("results and errors cross the library's border");
}
