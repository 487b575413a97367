// A program that links an installed convoy::io: a file is written, read, blurred and read back.
#include <convoy/convoy.hpp>
#include <convoy/io.hpp>
#include <convoy/picture.hpp>
#include <cstdio>
#include <cstring>

int main() {
  using namespace convoy;
  Image image = make_image({4, 5, 7}, Element::f32), kernel = make_image({1, 1, 3}, Element::f32);
  const float one = 1;
  std::memcpy(image.bytes.data() + 4 * (2 * 35 + 2 * 7 + 3), &one, sizeof one);
  for (int x = 0; x < 3; ++x) std::memcpy(kernel.bytes.data() + 4 * x, &one, sizeof one);
  write_image("image.tif", image.view());
  const Image read = read_image("image.tif");

  ConvolutionSpec spec;
  spec.image = read.shape;
  spec.kernel = kernel.shape;
  Image blurred = make_image(read.shape, Element::f32);
  Convolver(spec, kernel.view(), open_device("cpu")).run(read.view(), blurred.mutable_view());
  write_image("blurred.npy", blurred.view());
  write_png("blurred.png", make_projection_picture(blurred.view()).view());
  const Image back = read_image("blurred.npy");
  if (back.bytes != blurred.bytes) return 1;
  for (int x = 0; x < 7; ++x) {
    float value = 0;
    std::memcpy(&value, back.bytes.data() + 4 * (2 * 35 + 2 * 7 + x), sizeof value);
    std::printf("%.0f%s", static_cast<double>(value) + 0.0, x == 6 ? "\n" : " ");
  }
}
