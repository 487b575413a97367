// A series of images that are read and written box by box, to be restored.
#pragma once

#include <cstdint>
#include <deque>

#include "restoring.hpp"
#include "support/boxed_image.hpp"

namespace restoring {

using convoy::test::BoxedImage;
using convoy::test::BoxedOutput;

struct Series {
  Problem problem{plans_are_costly() ? Problem{{1, 1, 96}, {1, 1, 5}} : Problem{{10, 20, 30}, {3, 5, 7}}};
  std::deque<BoxedImage<float>> in;
  std::deque<BoxedImage<std::uint8_t>> masks;
  std::deque<BoxedOutput<float>> out;

  explicit Series(std::size_t num_images = 3) {
    const Shape chunk{1, problem.image.y, problem.image.x};
    for (std::size_t i = 0; i < num_images; ++i) {
      auto voxels = to_f32(
          plain::observe(plain::scene(problem.image, static_cast<unsigned>(1 + i)), problem.kernel(), 0, true, 2));
      for (float& voxel : voxels) voxel *= static_cast<float>(1 + i);
      std::vector<std::uint8_t> mask(voxels.size(), 1);
      for (std::size_t k = i; k < mask.size(); k += 17) mask[k] = 0;
      in.emplace_back(std::move(voxels), problem.image, chunk);
      masks.emplace_back(std::move(mask), problem.image, chunk);
      out.emplace_back(problem.image, chunk);
    }
  }
  ImageReaders readers() const {
    ImageReaders all;
    for (const auto& image : in) all.push_back(&image);
    return all;
  }
  ImageReaders mask_readers() const {
    ImageReaders all;
    for (const auto& mask : masks) all.push_back(&mask);
    return all;
  }
  ImageWriters writers() {
    ImageWriters all;
    for (auto& image : out) all.push_back(&image);
    return all;
  }
};

inline DeconvolverOptions in_fast_tiles(DeconvolutionSpec& spec, Index tiles) {
  DeconvolverOptions options;
  if (tiles > 1) spec.tiles = Tiles::fast;
  options.plan.min_tiles = tiles;
  return options;
}

inline double relative_l2(const std::vector<float>& image, const std::vector<float>& truth) {
  return oracle::relative_l2(image, std::vector<double>(truth.begin(), truth.end()));
}

}  // namespace restoring
