// Finite voxels never give NaN or infinity in silence, and what rounding leaves is stated.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "selftest/oracle.hpp"
#include "support/device_under_test.hpp"

using namespace convoy;

namespace {

ConvolutionSpec spec_of(const Shape& image, const Shape& kernel) {
  ConvolutionSpec spec;
  spec.image = image;
  spec.kernel = kernel;
  return spec;
}

template <class In, class Out = float>
struct Outcome {
  std::vector<Out> output;
  RunReport report;
};

template <class Out = float, class In, class Weight>
Outcome<In, Out> run(const ConvolutionSpec& spec, const std::vector<In>& image, const std::vector<Weight>& kernel,
                     Index min_tiles = 1) {
  ConvolverOptions options;
  options.sums = true;
  options.plan.min_tiles = min_tiles;
  Convolver convolver(spec, ImageView(kernel, spec.kernel), device_under_test(), options);
  Outcome<In, Out> outcome;
  outcome.output.resize(static_cast<std::size_t>(num_voxels(convolver.output_shape())));
  outcome.report =
      convolver.run(ImageView(image, spec.image), MutableImageView(outcome.output, convolver.output_shape()));
  return outcome;
}

template <class T>
bool all_finite(const std::vector<T>& values) {
  return std::all_of(values.begin(), values.end(), [](T value) { return std::isfinite(value); });
}

bool has_f64() { return device_under_test().limits().supports_f64; }

}  // namespace

TEST_CASE("voxels whose sums may overflow are counted and located") {
  const ConvolutionSpec spec = spec_of({4, 9, 10}, {3, 3, 3});
  const std::vector<float> kernel(27, 1.0F / 27);
  std::vector<float> image(4 * 9 * 10, 1);
  image[123] = image[200] = -std::numeric_limits<float>::max();
  for (const Index tiles : {1, 5}) {
    CHECK_THROWS_WITH_AS(
        run(spec, image, kernel, tiles),
        doctest::Contains("2 voxel(s) so large that a transform in single precision may overflow, the first at z,y,x = "
                          "1,3,3, the largest -3.40282347e+38"),
        Error);
  }
  const std::vector<double> beyond(image.size(), 1e300);
  CHECK_THROWS_WITH_AS(run(spec, beyond, kernel), doctest::Contains("360 voxel(s)"), Error);
  CHECK_THROWS_WITH_AS(run(spec, beyond, kernel), doctest::Contains("--precision f64"), Error);
  ConvolutionSpec constant = spec;
  constant.boundary = Boundary::constant;
  constant.constant = 1e300;
  CHECK_THROWS_WITH_AS(run(constant, image, kernel), doctest::Contains("constant 1e+300"), Error);
}

TEST_CASE("whatever its size, an image gives finite outputs or is refused") {
  Index num_refused = 0;
  for (const double kernel_size : {1e-30, 1.0, 1e20}) {
    for (double size = 1e-30; size < 3e38; size *= 1e3) {
      for (const Boundary boundary : {Boundary::zero, Boundary::reflect}) {
        ConvolutionSpec spec = spec_of({8, 9, 10}, {3, 4, 3});
        spec.boundary = boundary;
        spec.operation = boundary == Boundary::reflect ? Operation::correlate : Operation::convolve;
        const std::vector<float> image(8 * 9 * 10, static_cast<float>(size));
        const std::vector<float> kernel(36, static_cast<float>(kernel_size));
        try {
          const std::vector<float> output = run(spec, image, kernel, 3).output;
          CHECK(all_finite(output));
        } catch (const Error& error) {
          CHECK(error.code() == Errc::invalid_argument);
          ++num_refused;
        }
      }
    }
  }
  CHECK(num_refused > 10);
  CHECK(num_refused < 80);
}

TEST_CASE("voxels that mark missing data are taken as 0 and counted, and boundaries repeat zeros") {
  const auto check = [](auto value) {
    using T = decltype(value);
    ConvolutionSpec spec = spec_of({5, 8, 9}, {3, 4, 3});
    spec.boundary = Boundary::reflect;
    std::vector<T> image(5 * 8 * 9);
    for (std::size_t i = 0; i < image.size(); ++i) image[i] = static_cast<T>(i % 50);
    std::vector<T> zeros = image;
    for (const std::size_t at : {0, 17, 100, 359}) {
      image[at] = value;
      zeros[at] = 0;
    }
    const std::vector<float> kernel(36, 0.5F);
    const auto expected = run(spec, zeros, kernel, 4);
    spec.no_data = static_cast<double>(value);
    const auto outcome = run(spec, image, kernel, 4);
    CHECK(outcome.report.no_data_voxels == 4);
    CHECK(outcome.report.highest_voxel == 49);
    CHECK(outcome.output == expected.output);
  };
  check(std::uint8_t{255});
  check(std::uint16_t{65535});
  check(std::numeric_limits<float>::lowest());
  check(-9999.0F);
  check(1e300);

  ConvolutionSpec spec = spec_of({1, 1, 4}, {1, 1, 1});
  spec.no_data = -3.4028235e38;  // as people write it, a little beyond the float
  const std::vector<float> image{1, std::numeric_limits<float>::lowest(), 3, 4};
  CHECK(run(spec, image, std::vector<float>{1}).report.no_data_voxels == 1);
  spec.no_data = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(run(spec, image, std::vector<float>{1}), doctest::Contains("no_data"), Error);
}

TEST_CASE("results that the output does not hold are counted") {
  if (!has_f64()) return;
  ConvolutionSpec spec = spec_of({1, 1, 6}, {1, 1, 1});
  spec.precision = Precision::f64;
  const std::vector<double> image{1, 1e38, 1e39, -1e40, 3, 4};
  const auto outcome = run<float>(spec, image, std::vector<double>{1});
  CHECK(outcome.report.saturated_voxels == 2);
  CHECK(std::isinf(outcome.output[2]));
  CHECK(run<double>(spec, image, std::vector<double>{1}).report.saturated_voxels == 0);
}

TEST_CASE("kernels that the arithmetic does not hold are refused") {
  ConvolutionSpec spec = spec_of({1, 8, 9}, {1, 3, 3});
  const std::vector<float> image(72, 1);
  const auto refuses = [&](double voxel, const char* part) {
    CHECK_THROWS_WITH_AS(run(spec, image, std::vector<double>(9, voxel)), doctest::Contains(part), Error);
  };
  refuses(1e39, "--precision f64");
  refuses(1e-60, "below what single precision holds");
  refuses(1e308, "sum to inf");
  spec.normalize_kernel = true;
  refuses(1e308, "too large");
  refuses(1e-320, "too small");
  for (const double voxel : {1e-300, 1e-60, 1e39, 1e300}) {  // what is left is good
    for (const float value : run(spec, image, std::vector<double>(9, voxel)).output) CHECK(value <= 1.000001F);
  }
  // What rounding of single precision leaves of a sum of 0.
  std::vector<float> noise(9, 0.1F);
  noise[4] = -0.8F + 1e-8F;
  CHECK_THROWS_WITH_AS(run(spec, image, noise), doctest::Contains("sum"), Error);
}

TEST_CASE("voxels beyond 2^24 that single precision rounds are counted") {
  const ConvolutionSpec spec = spec_of({1, 1, 5}, {1, 1, 1});
  const std::vector<double> image{16777217, 16777218, 4294967295, 0.1, -16777219};
  CHECK(run(spec, image, std::vector<float>{1}).report.inexact_voxels == 3);
}

TEST_CASE("the error that is stated is not exceeded, and not exaggerated") {
  std::uint64_t seed = 1;
  for (const Precision precision : {Precision::f32, Precision::f64}) {
    if (precision == Precision::f64 && !has_f64()) continue;
    double worst = 0;
    for (const Shape& shape : {Shape{1, 1, 900}, Shape{1, 64, 64}, Shape{12, 20, 30}, Shape{25, 27, 31}}) {
      for (const double offset : {0.0, 1e4}) {
        for (const double spike : {0.0, 1e6}) {
          ConvolutionSpec spec = spec_of(shape, {shape.z > 1 ? 3 : 1, shape.y > 1 ? 4 : 1, 5});
          spec.precision = precision;
          std::vector<double> image = oracle::random_image(spec.image, ++seed);
          for (double& voxel : image) voxel = static_cast<double>(static_cast<float>(voxel + offset));
          if (spike > 0) image[image.size() / 3] = spike;
          const std::vector<double> kernel = oracle::random_image(spec.kernel, seed + 100);
          const std::vector<double> truth = oracle::direct(spec, image, kernel);
          const auto outcome = run<double>(spec, image, kernel);
          double error = 0;
          for (std::size_t i = 0; i < truth.size(); ++i)
            error = std::max(error, std::abs(outcome.output[i] - truth[i]));
          CAPTURE(to_text(shape));
          CAPTURE(offset);
          CAPTURE(spike);
          CHECK(error <= outcome.report.rounding_error);
          worst = std::max(worst, error / outcome.report.rounding_error);
          const bool stands_out = spike > 0 && offset == 0 && shape.z * shape.y > 1;
          CHECK((outcome.report.dynamic_range > 1e5) == stands_out);
        }
      }
    }
    MESSAGE("the largest error is " << worst << " of what is stated");
    CHECK(worst > 0.002);
  }
}
