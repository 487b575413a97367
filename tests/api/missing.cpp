// Missing voxels and complex images beyond one run in memory: box by box, on several devices, refusals.
#include <doctest/doctest.h>

#include <cmath>
#include <complex>

#include "selftest/oracle.hpp"
#include "selftest/tolerances.hpp"
#include "support/boxed_image.hpp"
#include "support/device_under_test.hpp"

using namespace convoy;
using namespace convoy::test;

namespace {

using Complex = std::complex<float>;

ConvolutionSpec interpolating() {
  ConvolutionSpec spec;
  spec.image = {12, 15, 16};
  spec.kernel = {3, 4, 5};
  spec.boundary = Boundary::reflect;
  spec.non_finite = NonFinite::interpolate;
  return spec;
}

std::vector<float> image_with_holes(const Shape& shape) {
  const std::vector<double> values = oracle::random_image(shape, 1), dice = oracle::random_image(shape, 2);
  std::vector<float> image(values.begin(), values.end());
  for (std::size_t i = 0; i < image.size(); ++i) {
    if (dice[i] < -1) image[i] = NAN;
  }
  return image;
}

std::vector<float> kernel_of(const Shape& shape) {
  const std::vector<double> values = oracle::random_image(shape, 3);
  std::vector<float> kernel;
  for (const double value : values) kernel.push_back(static_cast<float>(std::abs(value)));
  return kernel;
}

std::vector<Complex> complex_image(const Shape& shape, std::uint64_t seed) {
  const std::vector<double> real = oracle::random_image(shape, seed), imaginary = oracle::random_image(shape, seed + 1);
  std::vector<Complex> image;
  for (std::size_t i = 0; i < real.size(); ++i) {
    image.emplace_back(static_cast<float>(real[i]), static_cast<float>(imaginary[i]));
  }
  return image;
}

/// Bits may differ in rounding between runs whose tiles are others.
template <class T>
bool are_alike(const std::vector<T>& a, const std::vector<T>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool both_nan = a[i] != a[i] && b[i] != b[i];
    if (!both_nan && !(std::abs(a[i] - b[i]) <= 1e-4F * (1 + std::abs(b[i])))) return false;
  }
  return a.size() == b.size();
}

ConvolverOptions in_tiles(Index count) {
  ConvolverOptions options;
  options.plan.min_tiles = count;
  return options;
}

}  // namespace

TEST_CASE("missing voxels of readers and on several devices are interpolated as those in memory") {
  ConvolutionSpec spec = interpolating();
  const std::vector<float> image = image_with_holes(spec.image), kernel = kernel_of(spec.kernel);
  for (const bool preserve : {false, true}) {
    spec.preserve_nan = preserve;
    std::vector<float> whole(image.size());
    Convolver in_memory(spec, ImageView(kernel, spec.kernel), device_under_test());
    const RunReport report = in_memory.run(ImageView(image, spec.image), {whole, spec.image});
    if (preserve) CHECK(report.nan_voxels >= report.non_finite_voxels);

    ConvolverOptions options = in_tiles(9);
    options.plan.streaming = Streaming{Element::f32, Element::f32, {1, 15, 16}, {1, 15, 16}};
    Convolver box_by_box(spec, ImageView(kernel, spec.kernel), device_under_test(), options);
    const BoxedImage<float> reader(image, spec.image, {1, 15, 16});
    BoxedOutput<float> writer(spec.image, {1, 15, 16});
    Index reported = 0;
    const RunReport streamed = box_by_box.run(reader, writer);
    CHECK(streamed.num_tiles >= 9);
    CHECK(writer.all_written_once());
    CHECK(are_alike(writer.voxels(), whole));
    CHECK(streamed.nan_voxels == report.nan_voxels);
    CHECK(streamed.non_finite_voxels == report.non_finite_voxels);

    options = in_tiles(9);
    options.progress = [&](const Progress& progress) {
      reported = progress.tiles_done;
      return true;
    };
    const std::vector<Device> two{device_under_test(), device_under_test()};
    Convolver on_two(spec, ImageView(kernel, spec.kernel), two, options);
    std::vector<float> shared(image.size());
    const RunReport of_two = on_two.run(ImageView(image, spec.image), {shared, spec.image});
    CHECK(are_alike(shared, whole));
    CHECK(reported == of_two.num_tiles);
    CHECK(of_two.nan_voxels == report.nan_voxels);
  }
}

TEST_CASE("integer outputs have 0 where the result is NaN, and count it") {
  ConvolutionSpec spec = interpolating();
  spec.kernel = {1, 1, 1};
  std::vector<float> image(12 * 15 * 16, 7.0F);
  image[100] = NAN;
  const std::vector<float> kernel{1};
  std::vector<std::uint16_t> output(image.size(), 9);
  Convolver convolver(spec, ImageView(kernel, spec.kernel), device_under_test());
  const RunReport report = convolver.run(ImageView(image, spec.image), {output, spec.image});
  CHECK(output[100] == 0);
  CHECK(output[99] == 7);
  CHECK(report.nan_voxels == 1);
  CHECK(report.saturated_voxels == 0);
}

TEST_CASE("no_data is missing as well, in integer images, too") {
  ConvolutionSpec spec = interpolating();
  spec.no_data = 60000;
  spec.image = {1, 1, 6};
  spec.kernel = {1, 1, 3};
  const std::vector<std::uint16_t> image{1, 2, 60000, 4, 5, 6};
  const std::vector<float> kernel{0.25F, 0.5F, 0.25F};
  std::vector<float> output(6);
  Convolver convolver(spec, ImageView(kernel, spec.kernel), device_under_test());
  const RunReport report = convolver.run(ImageView(image, spec.image), {output, spec.image});
  CHECK(report.no_data_voxels == 1);
  CHECK(oracle::relative_l2(output, {1.25, 1.25 / 0.75, 3, 3.25 / 0.75, 5, 5.75}) <= 1e-6);
}

TEST_CASE("what cannot be interpolated or preserved is refused") {
  ConvolutionSpec spec = interpolating();
  const std::vector<float> kernel = kernel_of(spec.kernel);
  const auto make = [&] { Convolver(spec, ImageView(kernel, spec.kernel), device_under_test()); };
  spec.operation = Operation::correlate;
  CHECK_THROWS_WITH_AS(make(), doctest::Contains("--flip"), Error);
  spec = interpolating();
  spec.preserve_nan = true;
  spec.non_finite = NonFinite::error;
  CHECK_THROWS_WITH_AS(make(), doctest::Contains("--nan zero"), Error);
  spec.non_finite = NonFinite::zero;
  spec.mode = Mode::full;
  CHECK_THROWS_WITH_AS(make(), doctest::Contains("same and circular"), Error);
  spec = interpolating();
  std::vector<float> no_sum(kernel.size(), 0.0F);
  no_sum[0] = 1;
  no_sum[1] = -1;
  CHECK_THROWS_WITH_AS(Convolver(spec, ImageView(no_sum, spec.kernel), device_under_test()),
                       doctest::Contains("cannot interpolate"), Error);
  CHECK_THROWS_WITH_AS(ResidentConvolver(spec, ImageView(no_sum, spec.kernel), device_under_test()),
                       doctest::Contains("cannot interpolate"), Error);
  spec.no_data = -1.0;
  CHECK_THROWS_WITH_AS(ResidentConvolver(spec, ImageView(kernel, spec.kernel), device_under_test()),
                       doctest::Contains("use a Convolver"), Error);
  DeconvolutionSpec restoring;
  restoring.image = spec.image;
  restoring.psf = spec.kernel;
  restoring.non_finite = NonFinite::interpolate;
  CHECK_THROWS_WITH_AS(Deconvolver(restoring, ImageView(kernel, spec.kernel), device_under_test()),
                       doctest::Contains("--nan mask"), Error);
}

TEST_CASE("complex images and kernels of readers give what they give in memory") {
  ConvolutionSpec spec;
  spec.image = {8, 11, 12};
  spec.kernel = {3, 2, 5};
  const std::vector<Complex> image = complex_image(spec.image, 5), kernel = complex_image(spec.kernel, 7);
  std::vector<float> real;
  for (const Complex& voxel : kernel) real.push_back(voxel.real());
  for (const Boundary boundary : {Boundary::zero, Boundary::nearest}) {
    for (const Operation operation : {Operation::convolve, Operation::correlate}) {  // with nearest it is folded
      spec.boundary = boundary;
      spec.operation = operation;
      for (const ImageView& with : {ImageView(kernel, spec.kernel), ImageView(real, spec.kernel)}) {
        std::vector<Complex> whole(image.size());
        Convolver in_memory(spec, with, device_under_test());
        in_memory.run(ImageView(image, spec.image), {whole, spec.image});
        ConvolverOptions options = in_tiles(5);
        options.plan.streaming = Streaming{Element::c64, Element::c64, {1, 11, 12}, {1, 11, 12}};
        Convolver box_by_box(spec, with, device_under_test(), options);
        const BoxedImage<Complex> reader(image, spec.image, {1, 11, 12});
        BoxedOutput<Complex> writer(spec.image, {1, 11, 12});
        RunOptions watched;
        Index last = 0;
        watched.progress = [&](const Progress& progress) {
          if (progress.part_of_next_tile > 0) return true;
          CHECK(progress.tiles_done == last + 1);  // of all runs as of one
          last = progress.tiles_done;
          return true;
        };
        const RunReport report = box_by_box.run(reader, writer, watched);
        CHECK(last == report.num_tiles);
        CHECK(writer.all_written_once());
        CHECK(are_alike(writer.voxels(), whole));
      }
    }
  }
}

TEST_CASE("a complex kernel is normalised by its sum; its peak is that of magnitudes") {
  ConvolutionSpec spec;
  spec.image = {1, 1, 5};
  spec.kernel = {1, 1, 3};
  spec.normalize_kernel = true;
  spec.origin.rule = Origin::Rule::peak;
  const std::vector<Complex> image{0, 0, 1, 0, 0}, kernel{{1, 0}, {0, 0}, {0, -4}};
  const Image output =
      convolve(ImageView(image, spec.image), ImageView(kernel, spec.kernel), spec, device_under_test());
  REQUIRE(output.element == Element::c64);
  const Complex sum(1, -4);
  const auto voxels = output.voxels<Complex>();
  CHECK(std::abs(voxels[0] - Complex(1) / sum) <= 1e-6);
  CHECK(std::abs(voxels[2] - Complex(0, -4) / sum) <= 1e-6);
}

TEST_CASE("what complex images cannot be is refused") {
  ConvolutionSpec spec;
  spec.image = {1, 1, 5};
  spec.kernel = {1, 1, 1};
  const std::vector<Complex> image(5), complex_kernel{{1, 1}};
  const std::vector<float> real(5), kernel{1};
  std::vector<Complex> complex_output(5);
  std::vector<float> output(5);
  Convolver convolver(spec, ImageView(kernel, spec.kernel), device_under_test());
  CHECK_THROWS_WITH_AS(convolver.run(ImageView(image, spec.image), {output, spec.image}), doctest::Contains("take c64"),
                       Error);
  CHECK_THROWS_WITH_AS(convolver.run(ImageView(real, spec.image), {complex_output, spec.image}),
                       doctest::Contains("take an output of f32"), Error);
  spec.boundary = Boundary::constant;
  spec.constant = 1;
  Convolver with_constant(spec, ImageView(kernel, spec.kernel), device_under_test());
  CHECK_THROWS_WITH_AS(with_constant.run(ImageView(image, spec.image), {complex_output, spec.image}),
                       doctest::Contains("constant of 1"), Error);
  CHECK_THROWS_WITH_AS(ResidentConvolver(spec, ImageView(complex_kernel, spec.kernel), device_under_test()),
                       doctest::Contains("complex"), Error);
  DeconvolutionSpec restoring;
  restoring.image = spec.image;
  restoring.psf = spec.kernel;
  CHECK_THROWS_WITH_AS(Deconvolver(restoring, ImageView(complex_kernel, spec.kernel), device_under_test()),
                       doctest::Contains("complex"), Error);
}
