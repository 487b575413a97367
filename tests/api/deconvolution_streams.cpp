// Deconvolution of images that are read and written box by box: what it gives in memory, nothing restored twice.
#include <doctest/doctest.h>

#include <deque>

#include "restoring.hpp"
#include "support/boxed_image.hpp"

using namespace restoring;
using convoy::test::BoxedImage;
using convoy::test::BoxedOutput;

namespace {

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

Deconvolver make_deconvolver(const DeconvolutionSpec& spec, const Problem& problem, DeconvolverOptions options) {
  const auto psf = to_f32(problem.kernel());
  return Deconvolver(spec, ImageView(psf, spec.psf), device_under_test(), options);
}

DeconvolverOptions in_fast_tiles(DeconvolutionSpec& spec, Index tiles) {
  DeconvolverOptions options;
  if (tiles > 1) spec.tiles = Tiles::fast;
  options.plan.min_tiles = tiles;
  return options;
}

}  // namespace

TEST_CASE("a series that is streamed is what its images are one by one in memory, whole and in fast tiles") {
  for (const Index tiles : {1, 4}) {
    for (const bool masked : {false, true}) {
      CAPTURE(tiles);
      CAPTURE(masked);
      Series series;
      DeconvolutionSpec spec = series.problem.spec(Edges::noncirculant, 3);
      DeconvolverOptions options = in_fast_tiles(spec, tiles);
      Index reported = 0;
      Index in_all = 0;
      options.progress = [&](const DeconvolutionProgress& progress) {
        CHECK(progress.iterations_done >= reported);
        reported = progress.iterations_done;
        in_all = progress.num_iterations;
        return true;
      };
      Deconvolver deconvolver = make_deconvolver(spec, series.problem, options);
      const DeconvolutionReport report =
          deconvolver.run(series.readers(), series.writers(), masked ? series.mask_readers() : ImageReaders{});
      const Index num_tiles = deconvolver.plan().fast ? deconvolver.plan().fast->num_tiles() : 1;
      CHECK(in_all == 3 * 3 * num_tiles);
      CHECK(reported == in_all);
      double input_sum = 0;
      double largest_difference = 0;
      for (std::size_t i = 0; i < 3; ++i) {
        reported = 0;
        std::vector<float> alone(series.in[i].voxels().size());
        std::optional<ImageView> mask;
        if (masked) mask = ImageView(series.masks[i].voxels(), spec.image);
        const DeconvolutionReport one =
            deconvolver.run(ImageView(series.in[i].voxels(), spec.image), MutableImageView(alone, spec.image), mask);
        CHECK(series.out[i].all_written_once());
        CHECK(oracle::relative_l2(series.out[i].voxels(), std::vector<double>(alone.begin(), alone.end())) <= 1e-6);
        input_sum += one.input_sum;
        largest_difference = std::max(largest_difference, one.seam.largest_difference);
      }
      CHECK(report.input_sum == doctest::Approx(input_sum));
      CHECK(report.seam.largest_difference == doctest::Approx(largest_difference).epsilon(1e-4));
    }
  }
}

TEST_CASE("what an earlier run wrote is not restored again") {
  for (const Index tiles : {1, 4}) {
    CAPTURE(tiles);
    Series series(2);
    DeconvolutionSpec spec = series.problem.spec(Edges::noncirculant, 2);
    Deconvolver deconvolver = make_deconvolver(spec, series.problem, in_fast_tiles(spec, tiles));
    deconvolver.run(series.readers(), series.writers());
    const std::vector<float> whole = series.out[0].voxels();
    series.out[0].forget_half();
    series.out[1].forget_half();
    const DeconvolutionReport rest = deconvolver.run(series.readers(), series.writers());
    CHECK(series.out[0].voxels() == whole);
    CHECK(series.out[1].all_written());
    if (deconvolver.plan().fast && spec.image.z > 1) CHECK(rest.skipped_tiles > 0);
    const DeconvolutionReport none = deconvolver.run(series.readers(), series.writers());
    CHECK(none.skipped_tiles == (deconvolver.plan().fast ? 2 * deconvolver.plan().fast->num_tiles() : 2));
  }
}

TEST_CASE("masks are none, one for all, or one for each") {
  Series series;
  const DeconvolutionSpec spec = series.problem.spec(Edges::zero, 1);
  Deconvolver deconvolver = make_deconvolver(spec, series.problem, {});
  CHECK(deconvolver.run(series.readers(), series.writers(), {&series.masks[0]}).missing_voxels > 0);
  CHECK_THROWS_WITH_AS(deconvolver.run(series.readers(), series.writers(), {&series.masks[0], &series.masks[1]}),
                       doctest::Contains("2 masks for 3 images"), Error);
}
