// Deconvolution of images that are read and written box by box: what it gives in memory, nothing restored twice.
#include <doctest/doctest.h>

#include "restoring_series.hpp"

using namespace restoring;

namespace {

Deconvolver make_deconvolver(const DeconvolutionSpec& spec, const Problem& problem, DeconvolverOptions options) {
  const auto psf = to_f32(problem.kernel());
  return Deconvolver(spec, ImageView(psf, spec.psf), device_under_test(), options);
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

TEST_CASE("each image has its PSF, in memory and in streams, whole and in fast tiles") {
  for (const Index tiles : {1, 4}) {
    CAPTURE(tiles);
    Series series(5);
    series.in.pop_back();
    series.out.pop_back();
    DeconvolutionSpec spec = series.problem.spec(Edges::noncirculant, 3);
    const DeconvolverOptions options = in_fast_tiles(spec, tiles);
    const auto voxels = static_cast<std::size_t>(num_voxels(spec.image));
    const std::vector<float> first = to_f32(series.problem.kernel());
    const std::vector<float> second(first.rbegin(), first.rend());
    std::vector<float> both = first;
    both.insert(both.end(), second.begin(), second.end());
    std::vector<float> stack;
    for (const auto& image : series.in) stack.insert(stack.end(), image.voxels().begin(), image.voxels().end());
    std::vector<float> restored(stack.size());

    DeconvolutionSpec of_two = spec;
    of_two.num_psfs = 2;
    std::vector<float> lent = both;
    Deconvolver deconvolver(of_two, ImageView(lent, spec.psf, 2), device_under_test(), options);
    std::fill(lent.begin(), lent.end(), kNan);  // it has its own
    deconvolver.run(series.readers(), series.writers());
    deconvolver.run(ImageView(stack, spec.image, 4), MutableImageView(restored, spec.image, 4));
    for (std::size_t i = 0; i < 4; ++i) {
      CAPTURE(i);
      Deconvolver one(spec, ImageView(i % 2 == 0 ? first : second, spec.psf), device_under_test(), options);
      std::vector<float> alone(voxels);
      one.run(ImageView(series.in[i].voxels(), spec.image), MutableImageView(alone, spec.image));
      CHECK(relative_l2(series.out[i].voxels(), alone) <= 1e-6);
      const auto begin = restored.begin() + static_cast<std::ptrdiff_t>(i * voxels);
      CHECK(relative_l2({begin, begin + static_cast<std::ptrdiff_t>(voxels)}, alone) <= 1e-6);
    }
    CHECK_THROWS_WITH_AS(deconvolver.run(ImageView(stack.data(), Element::f32, spec.image, 3),
                                         MutableImageView(restored.data(), Element::f32, spec.image, 3)),
                         doctest::Contains("3 image(s) for 2 PSFs"), Error);
    both[first.size()] = kNan;
    CHECK_THROWS_WITH_AS(Deconvolver(of_two, ImageView(both, spec.psf, 2), device_under_test(), options),
                         doctest::Contains("PSF 2 of 2"), Error);
    CHECK_THROWS_WITH_AS(Deconvolver(of_two, ImageView(first, spec.psf), device_under_test(), options),
                         doctest::Contains("batch of 1"), Error);
  }
}
