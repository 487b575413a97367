// Laws over random problems. CONVOY_TEST_SEED repeats a run, CONVOY_TEST_CASES sets its length.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "selftest/oracle.hpp"
#include "support/device_under_test.hpp"
#include "support/random_problem.hpp"

using namespace convoy;
using namespace convoy::test;

namespace {

template <class Real>
std::vector<Real> run(const ConvolutionSpec& spec, const PlanOptions& plan, const std::vector<double>& image,
                      const std::vector<double>& kernel) {
  const std::vector<Real> voxels(image.begin(), image.end());
  const std::vector<Real> weights(kernel.begin(), kernel.end());
  ConvolverOptions options;
  options.plan = plan;
  options.sentinels = true;
  Convolver convolver(spec, ImageView(weights, spec.kernel), device_under_test(), options);
  std::vector<Real> output(static_cast<std::size_t>(num_voxels(convolver.output_shape())),
                           std::numeric_limits<Real>::quiet_NaN());
  const RunReport report =
      convolver.run(ImageView(voxels, spec.image), MutableImageView(output, convolver.output_shape()));
  if (spec.region) return output;
  // However many tiles read a voxel, it is summed up once.
  double sum = 0, magnitude = 1e-300;
  for (const Real voxel : voxels) {
    sum += static_cast<double>(voxel);
    magnitude += std::abs(static_cast<double>(voxel));
  }
  REQUIRE(std::abs(report.input_sum - sum) <= 1e-12 * magnitude);
  return output;
}

double error_of(const ConvolutionSpec& spec, const PlanOptions& plan, std::uint64_t seed) {
  const auto image = oracle::random_image(spec.image, seed);
  const auto kernel = oracle::random_image(spec.kernel, seed + 1);
  const auto truth = oracle::direct(spec, image, kernel);
  return spec.precision == Precision::f32 ? oracle::relative_l2(run<float>(spec, plan, image, kernel), truth)
                                          : oracle::relative_l2(run<double>(spec, plan, image, kernel), truth);
}

}  // namespace

TEST_CASE("random problems equal the direct sum") {
  Dice dice(the_seed());
  const std::uint64_t cases = number_from("CONVOY_TEST_CASES", 2000);
  for (std::uint64_t i = 0; i < cases; ++i) {
    const ConvolutionSpec spec = random_spec(dice);
    CAPTURE(i);
    CAPTURE(oracle::to_text(spec));
    REQUIRE(error_of(spec, {}, i) <= oracle::tolerance(spec.precision));
  }
}

TEST_CASE("random tilings equal the direct sum, by tile count and by memory limit") {
  Dice dice(the_seed() + 1);
  const std::uint64_t cases = number_from("CONVOY_TEST_CASES", 2000) / 2;
  const Limits limits = device_under_test().limits();
  Index most_tiles = 0;
  for (std::uint64_t i = 0; i < cases; ++i) {
    ConvolutionSpec spec = random_spec(dice);
    const Index outputs = num_voxels(output_shape(spec));
    PlanOptions options;
    options.allow_fused = dice.between(0, 3) != 0;
    options.min_sets = static_cast<int>(dice.between(1, 3));
    const Plan whole = make_plan(spec, limits, options);
    if (dice.between(0, 1) == 0) {
      options.min_tiles = std::min<Index>(outputs, dice.between(2, 40));
    } else {
      options.memory_limit_bytes = whole.smallest_footprint_bytes +
                                   static_cast<std::uint64_t>(dice.between(
                                       0, static_cast<Index>(whole.footprint_bytes - whole.smallest_footprint_bytes)));
    }
    CAPTURE(i);
    CAPTURE(oracle::to_text(spec));
    CAPTURE(options.min_tiles);
    CAPTURE(options.memory_limit_bytes);
    most_tiles = std::max(most_tiles, make_plan(spec, limits, options).num_tiles());
    REQUIRE(error_of(spec, options, i) <= oracle::tolerance(spec.precision));
  }
  CHECK(most_tiles >= 40);
}

TEST_CASE("random adjoints: <A x, y> = <x, A' y>") {
  Dice dice(the_seed() + 2);
  const std::uint64_t cases = number_from("CONVOY_TEST_CASES", 2000) / 2;
  for (std::uint64_t i = 0; i < cases; ++i) {
    ConvolutionSpec spec = random_spec(dice);
    spec.mode = dice.one_of({Mode::same, Mode::same, Mode::circular});
    spec.boundary = spec.mode == Mode::circular
                        ? Boundary::zero
                        : dice.one_of({Boundary::zero, Boundary::reflect, Boundary::nearest, Boundary::wrap});
    spec.constant = 0;
    spec.precision = Precision::f64;
    spec.operation = Operation::convolve;
    ConvolutionSpec adjoint = spec;
    adjoint.operation = Operation::correlate;
    PlanOptions tiles;
    if (dice.between(0, 1) == 0) tiles.min_tiles = std::min<Index>(num_voxels(spec.image), 5);
    const auto x = oracle::random_image(spec.image, 3 * i);
    const auto y = oracle::random_image(spec.image, 3 * i + 1);
    const auto kernel = oracle::random_image(spec.kernel, 3 * i + 2);
    const auto ax = run<double>(spec, {}, x, kernel);
    const auto aty = run<double>(adjoint, tiles, y, kernel);
    double left = 0, right = 0, scale = 1e-300;
    for (std::size_t v = 0; v < x.size(); ++v) {
      left += ax[v] * y[v];
      right += x[v] * aty[v];
      scale += std::abs(ax[v] * y[v]) + std::abs(x[v] * aty[v]);
    }
    CAPTURE(i);
    CAPTURE(oracle::to_text(spec));
    REQUIRE(std::abs(left - right) <= 1e-12 * scale);
  }
}

namespace {

template <class Real>
std::vector<double> part_of(const std::vector<Real>& whole, const Shape& shape, const Box& box) {
  std::vector<double> part;
  for (Index z = 0; z < box.size.z; ++z) {
    for (Index y = 0; y < box.size.y; ++y) {
      for (Index x = 0; x < box.size.x; ++x) {
        const Index at = ((box.begin.z + z) * shape.y + box.begin.y + y) * shape.x + box.begin.x + x;
        part.push_back(static_cast<double>(whole[static_cast<std::size_t>(at)]));
      }
    }
  }
  return part;
}

/// Largest difference, relative to the largest value of the whole.
template <class Real>
double region_error(const ConvolutionSpec& whole, const PlanOptions& plan, const Box& region, std::uint64_t seed) {
  const auto image = oracle::random_image(whole.image, seed);
  const auto kernel = oracle::random_image(whole.kernel, seed + 1);
  ConvolutionSpec part = whole;
  part.region = region;
  const std::vector<Real> all = run<Real>(whole, {}, image, kernel);
  const std::vector<Real> some = run<Real>(part, plan, image, kernel);
  const std::vector<double> expected = part_of(all, output_shape(whole), region);
  double worst = some.size() == expected.size() ? 0 : 1;
  double largest = 1e-300;
  for (const Real value : all) largest = std::max(largest, std::abs(static_cast<double>(value)));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(some[i]) - expected[i]) / largest);
  }
  return worst;
}

}  // namespace

TEST_CASE("a region is what the whole output has there, for every mode, boundary and tiling") {
  Dice dice(the_seed() + 3);
  const std::uint64_t cases = number_from("CONVOY_TEST_CASES", 2000) * 3 / 2;
  for (std::uint64_t i = 0; i < cases; ++i) {
    const ConvolutionSpec spec = random_spec(dice);
    const Shape output = output_shape(spec);
    Box region;
    for (int axis = 0; axis < 3; ++axis) {
      region.begin[axis] = dice.between(0, output[axis] - 1);
      region.size[axis] = dice.between(1, output[axis] - region.begin[axis]);
    }
    PlanOptions plan;
    plan.min_tiles = std::min<Index>(num_voxels(region.size), dice.between(1, 8));
    CAPTURE(i);
    CAPTURE(oracle::to_text(spec));
    CAPTURE(to_text(region));
    REQUIRE(box_from_text(to_text(region), output) == region);
    if (spec.precision == Precision::f32) {
      REQUIRE(region_error<float>(spec, plan, region, i) <= 5e-6);
    } else {
      REQUIRE(region_error<double>(spec, plan, region, i) <= 1e-13);
    }
  }
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
