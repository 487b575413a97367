#include <cmath>
#include <convoy/convoy.hpp>
#include <cstdio>

int main() {
  const convoy::Shape image_shape{1, 5, 7}, kernel_shape{1, 3, 3};  // z, y, x
  std::vector<float> image(5 * 7), kernel(3 * 3, 1);
  image[2 * 7 + 3] = 1;  // one bright voxel
  const convoy::Image blurred = convoy::convolve({image, image_shape}, {kernel, kernel_shape});
  const auto voxels = blurred.voxels<float>();
  for (int i = 0; i < 5 * 7; ++i) std::printf("%3ld%s", std::lround(voxels[i]), i % 7 == 6 ? "\n" : "");
}
