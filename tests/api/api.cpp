// What users rely on beyond the numbers: flux, normalisation, origins of the kernel, devices by name, logs.
#include <doctest/doctest.h>

#include <cmath>

#include "selftest/oracle.hpp"
#include "support/device_under_test.hpp"

using namespace convoy;

namespace {

std::vector<float> floats_of(const Image& image) {
  const auto voxels = image.voxels<float>();
  return {voxels.begin(), voxels.end()};
}

}  // namespace

TEST_CASE("a normalised kernel keeps flux and constants, whatever its own sum") {
  ConvolutionSpec spec;
  spec.normalize_kernel = true;
  spec.boundary = Boundary::nearest;
  const std::vector<float> image(9 * 10 * 11, 60000.0f), kernel(3 * 4 * 5, 500.0f);
  const Image output = convolve(ImageView(image, {9, 10, 11}), ImageView(kernel, {3, 4, 5}), spec, device_under_test());
  for (const float voxel : output.voxels<float>()) REQUIRE(std::abs(voxel - 60000.0f) <= 0.1f);

  spec.boundary = Boundary::zero;
  spec.mode = Mode::full;
  const Image whole = convolve(ImageView(image, {9, 10, 11}), ImageView(kernel, {3, 4, 5}), spec, device_under_test());
  double sum = 0;
  for (const float voxel : whole.voxels<float>()) sum += static_cast<double>(voxel);
  CHECK(std::abs(sum / (60000.0 * static_cast<double>(image.size())) - 1) <= 1e-6);
}

TEST_CASE("a kernel is used as given unless normalisation is asked for; a zero sum cannot be normalised") {
  ConvolutionSpec spec;
  std::vector<float> image{0, 0, 1, 0, 0}, kernel{1, 0, -1};
  const Image output = convolve(ImageView(image, {1, 1, 5}), ImageView(kernel, {1, 1, 3}), spec, device_under_test());
  CHECK(oracle::relative_l2(floats_of(output), {0, 1, 0, -1, 0}) <= 1e-6);
  spec.normalize_kernel = true;
  CHECK_THROWS_WITH_AS(convolve(ImageView(image, {1, 1, 5}), ImageView(kernel, {1, 1, 3}), spec, device_under_test()),
                       doctest::Contains("sum"), Error);
}

TEST_CASE("convolve() returns voxels of the precision asked for") {
  if (!device_under_test().limits().supports_f64) return;
  ConvolutionSpec spec;
  spec.precision = Precision::f64;
  const double third = 1.0 / 3;  // no float is it
  const std::vector<double> image{0, third, 0}, kernel{2};
  const Image output = convolve(ImageView(image, {1, 1, 3}), ImageView(kernel, {1, 1, 1}), spec, device_under_test());
  CHECK(output.shape == Shape{1, 1, 3});
  REQUIRE(output.element == Element::f64);
  CHECK(std::abs(output.voxels<double>()[1] - 2 * third) <= 1e-15);
  CHECK_THROWS_WITH_AS(output.voxels<float>(), doctest::Contains("f64, not f32"), Error);
  spec.precision = Precision::f32;
  CHECK(convolve(ImageView(image, {1, 1, 3}), ImageView(kernel, {1, 1, 1}), spec, device_under_test()).element ==
        Element::f32);
}

TEST_CASE("Origin::peak puts the brightest kernel voxel on the output voxel") {
  ConvolutionSpec spec;
  spec.origin.rule = Origin::Rule::peak;
  std::vector<float> image(5 * 6 * 7), kernel(3 * 4 * 5);
  image[(2 * 6 + 3) * 7 + 3] = 1;
  kernel[(2 * 4 + 0) * 5 + 1] = 4;
  kernel[(0 * 4 + 3) * 5 + 4] = 1;
  const Image output = convolve(ImageView(image, {5, 6, 7}), ImageView(kernel, {3, 4, 5}), spec, device_under_test());
  CHECK(std::abs(output.voxels<float>()[(2 * 6 + 3) * 7 + 3] - 4) <= 1e-5);
}

TEST_CASE("devices by name: what is not there is explained") {
  CHECK_THROWS_WITH_AS(open_device("tpu"), doctest::Contains("unknown backend 'tpu'; known are auto"), Error);
  CHECK_THROWS_WITH_AS(open_device("cpu:7"), doctest::Contains("cpu:0"), Error);
  CHECK_THROWS_WITH_AS(open_device("cpu:x"), doctest::Contains("number"), Error);
  CHECK_THROWS_AS(open_device(""), Error);
  const Device automatic = open_device("auto");
  CHECK(automatic.info().type != DeviceType::software);
  for (const BackendInfo& backend : list_backends()) {
    CAPTURE(backend.name);
    CHECK(backend.devices.empty() != backend.unavailable_because.empty());
  }
}

TEST_CASE("the log says why a plan is what it is") {
  std::string lines;
  set_log([&](std::string_view topic, std::string_view message) {
    lines += std::string(topic) + ": " + std::string(message) + "\n";
  });
  ConvolutionSpec spec;
  const auto image = oracle::random_image({9, 10, 11}, 1), kernel = oracle::random_image({3, 3, 3}, 2);
  convolve(ImageView(image, {9, 10, 11}), ImageView(kernel, {3, 3, 3}), spec, device_under_test());
  set_log({});
  CHECK(lines.find("plan: ") != std::string::npos);
  CHECK(lines.find("dispatch: ") != std::string::npos);
}

TEST_CASE("sizes beyond 2^31 voxels are counted right, and beyond 2^63 refused") {
  CHECK(num_voxels({2048, 2048, 2048}) == Index{1} << 33);
  CHECK_THROWS_AS(num_voxels({Index{1} << 31, Index{1} << 31, 4}), Error);
  CHECK_THROWS_AS(num_voxels({0, 5, 5}), Error);
  CHECK_THROWS_AS(num_voxels({5, -1, 5}), Error);
}

TEST_CASE("the self-test passes here, and says what it did") {
  if (plans_are_costly()) return;
  const SelftestReport report = run_selftest(device_under_test());
  for (const SelftestCheck& check : report.checks) {
    CAPTURE(check.name);
    CAPTURE(check.detail);
    CHECK(check.verdict != SelftestCheck::Verdict::failed);
  }
  CHECK(report.passed());
  CHECK(to_json(report).find("\"passed\": true") != std::string::npos);
  CHECK_FALSE(SelftestReport{}.passed());
}

TEST_CASE("a small region of a large image needs little of it") {
  ConvolutionSpec spec;
  spec.image = {1000, 1000, 1000};
  spec.kernel = {9, 9, 9};
  const Limits limits = device_under_test().limits();
  for (const Boundary boundary : {Boundary::zero, Boundary::reflect, Boundary::wrap}) {
    for (const Operation operation : {Operation::convolve, Operation::correlate}) {
      spec.boundary = boundary;
      spec.operation = operation;
      spec.region = Box{{500, 0, 990}, {20, 10, 10}};
      const Plan plan = make_plan(spec, limits);
      CHECK(plan.footprint_bytes < 4 << 20);
      for (const AxisPlan& axis : plan.axes) CHECK(axis.tile_input < 100);
    }
  }
  spec.region = Box{{500, 0, 995}, {20, 10, 10}};
  CHECK_THROWS_WITH_AS(make_plan(spec, limits), doctest::Contains("leaves the output of 1000 voxels on axis x"), Error);
}
