// The contract every backend keeps: the same numbers as the direct double-precision sum, for every mode, boundary,
// origin, parity, dimension and precision, whole or in tiles. Device memory starts as NaN, guard bytes lie behind it.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "selftest/oracle.hpp"
#include "selftest/tolerances.hpp"
#include "support/device_under_test.hpp"
#include "support/differences.hpp"
#include "support/random_problem.hpp"

using namespace convoy;

namespace {

struct Case {
  ConvolutionSpec spec;
  PlanOptions plan;
};

ConvolverOptions options_for(const PlanOptions& plan) {
  ConvolverOptions options;
  options.plan = plan;
  // Most of these problems are small, and would be summed up directly: transforms are what is tested unless a case says
  // otherwise.
  if (plan.method == Method::automatic) options.plan.method = Method::fft;
  options.sentinels = true;
  return options;
}

template <class Real>
struct Answer {
  std::vector<Real> voxels;
  Path path;
};

template <class Real>
Answer<Real> run(const Case& c, const std::vector<double>& image, const std::vector<double>& kernel) {
  const std::vector<Real> voxels(image.begin(), image.end());
  const std::vector<Real> weights(kernel.begin(), kernel.end());
  Convolver convolver(c.spec, ImageView(weights, c.spec.kernel), device_under_test(), options_for(c.plan));
  // NaN first: a voxel that is not written cannot pass.
  std::vector<Real> output(static_cast<std::size_t>(num_voxels(convolver.output_shape()) * c.spec.batch),
                           std::numeric_limits<Real>::quiet_NaN());
  convolver.run(ImageView(voxels, c.spec.image, c.spec.batch),
                MutableImageView(output, convolver.output_shape(), c.spec.batch));
  return {output, convolver.plan().path};
}

/// Image by image.
std::vector<double> truth_of(const ConvolutionSpec& spec, const std::vector<double>& images,
                             const std::vector<double>& kernel) {
  const auto voxels = static_cast<std::ptrdiff_t>(num_voxels(spec.image));
  std::vector<double> truth;
  for (auto begin = images.begin(); begin != images.end(); begin += voxels) {
    const std::vector<double> one = oracle::direct(spec, {begin, begin + voxels}, kernel);
    truth.insert(truth.end(), one.begin(), one.end());
  }
  return truth;
}

template <class Real>
void check_as(const Case& c, const char* kind) {
  const Shape images{c.spec.batch * c.spec.image.z, c.spec.image.y, c.spec.image.x};
  const std::vector<double> image = oracle::random_image(images, 1);
  const std::vector<double> kernel = c.plan.method == Method::separable ? oracle::random_separable(c.spec.kernel, 1001)
                                                                        : oracle::random_image(c.spec.kernel, 1001);
  const Answer<Real> answer = run<Real>(c, image, kernel);
  const test::DifferenceKind all_such{kind, answer.path, c.spec.precision};
  test::check_difference(all_such, oracle::relative_l2(answer.voxels, truth_of(c.spec, image, kernel)),
                         tolerances::convolution(c.spec.precision));
  if (c.spec.batch > 1) return;
  test::check_difference_from_cpu<Real>(all_such, c.spec, c.plan, {image.begin(), image.end()},
                                        {kernel.begin(), kernel.end()}, answer.voxels);
}

void check(const Case& c, const char* kind = "whole") {
  CAPTURE(oracle::to_text(c.spec));
  c.spec.precision == Precision::f32 ? check_as<float>(c, kind) : check_as<double>(c, kind);
}

/// The sizes that are tried in every mode: odd and even, in one, two and three dimensions.
struct Sizes {
  Shape image, kernel;
};
const std::vector<Sizes>& sizes() {
  static const std::vector<Sizes> few{{{6, 9, 10}, {3, 4, 5}}, {{1, 13, 8}, {1, 5, 4}}, {{1, 1, 30}, {1, 1, 7}}};
  static const std::vector<Sizes> many{{{6, 9, 10}, {3, 4, 5}},  {{5, 8, 9}, {2, 3, 4}},  {{1, 13, 8}, {1, 5, 4}},
                                       {{1, 1, 30}, {1, 1, 7}},  {{9, 1, 14}, {4, 1, 3}}, {{7, 11, 1}, {3, 2, 1}},
                                       {{12, 1, 1}, {5, 1, 1}},  {{1, 1, 1}, {1, 1, 1}},  {{8, 9, 10}, {1, 1, 1}},
                                       {{17, 19, 23}, {5, 7, 3}}};
  return plans_are_costly() ? few : many;
}

std::vector<float> floats_of(const Image& image) {
  const auto voxels = image.voxels<float>();
  return {voxels.begin(), voxels.end()};
}

ConvolutionSpec spec_of(const Sizes& size) {
  ConvolutionSpec spec;
  spec.image = size.image;
  spec.kernel = size.kernel;
  return spec;
}

/// In single precision, and in double where the device has it.
void check_precisions(ConvolutionSpec spec, const PlanOptions& plan = {}) {
  for (const Precision precision : {Precision::f32, Precision::f64}) {
    if (precision == Precision::f64 && !device_under_test().limits().supports_f64) continue;
    spec.precision = precision;
    check({spec, plan});
  }
}

std::vector<ConvolutionSpec> every_mode(const Sizes& size) {
  std::vector<ConvolutionSpec> specs;
  const auto add = [&](Mode mode, Boundary boundary, Origin origin, Operation operation) {
    ConvolutionSpec spec = spec_of(size);
    spec.mode = mode;
    spec.boundary = boundary;
    spec.constant = boundary == Boundary::constant && operation != Operation::correlate ? 1.5 : 0;
    spec.origin = origin;
    spec.operation = operation;
    specs.push_back(spec);
  };
  const Shape& k = size.kernel;
  add(Mode::same, Boundary::constant, {}, Operation::flip);
  if (!plans_are_costly()) {
    add(Mode::valid, Boundary::zero, {}, Operation::flip);
    add(Mode::full, Boundary::wrap, {}, Operation::flip);
    for (const Boundary boundary : kAllBoundaries) add(Mode::full, boundary, {}, Operation::convolve);
    add(Mode::same, Boundary::reflect, {Origin::Rule::scipy, {}}, Operation::flip);
    add(Mode::same, Boundary::nearest, Origin::at({k.z - 1, 0, k.x / 3}), Operation::flip);
  }
  for (const Operation operation : {Operation::convolve, Operation::correlate}) {
    add(Mode::full, Boundary::zero, {}, operation);
    add(Mode::valid, Boundary::zero, {}, operation);
    for (const Origin& origin : {Origin{}, Origin{Origin::Rule::scipy, {}}, Origin::at({k.z - 1, 0, k.x / 3})}) {
      // Origins are the host's business; where plans are costly one uncentred case a size is enough.
      if (plans_are_costly() && origin.rule != Origin::Rule::center) {
        if (origin.rule == Origin::Rule::at) add(Mode::same, Boundary::zero, origin, operation);
        continue;
      }
      add(Mode::circular, Boundary::zero, origin, operation);
      for (const Boundary boundary : kAllBoundaries) {
        add(Mode::same, boundary, origin, operation);
      }
    }
  }
  return specs;
}

}  // namespace

TEST_CASE("every mode, boundary, origin and operation equals the direct sum (float32)") {
  for (const Sizes& size : sizes()) {
    for (const ConvolutionSpec& spec : every_mode(size)) check({spec, {}});
  }
}

TEST_CASE("every mode, boundary, origin and operation equals the direct sum (float64)") {
  if (!device_under_test().limits().supports_f64) {
    MESSAGE("this device has no double precision");
    return;
  }
  for (const Sizes& size : sizes()) {
    if (plans_are_costly() && &size != &sizes().front()) continue;
    for (ConvolutionSpec spec : every_mode(size)) {
      if (plans_are_costly() && spec.operation == Operation::correlate) continue;
      spec.precision = Precision::f64;
      check({spec, {}});
    }
  }
}

TEST_CASE("every mode, boundary, origin and operation equals the direct sum without transforms") {
  for (const Method method : {Method::direct, Method::separable}) {
    PlanOptions plan;
    plan.method = method;
    for (const Sizes& size : sizes()) {
      for (ConvolutionSpec spec : every_mode(size)) {
        for (const Precision precision : {Precision::f32, Precision::f64}) {
          if (precision == Precision::f64 && !device_under_test().limits().supports_f64) continue;
          spec.precision = precision;
          check({spec, plan}, name(method));
        }
      }
    }
  }
}

TEST_CASE("tiles without transforms equal the direct sum") {
  for (const Method method : {Method::direct, Method::separable}) {
    for (const ConvolutionSpec& spec : every_mode({{14, 20, 25}, {3, 4, 5}})) {
      if (spec.origin.rule != Origin::Rule::center) continue;
      for (const Index tiles : {2, 10, 100}) {
        if (plans_are_costly() && tiles != 10) continue;
        PlanOptions plan;
        plan.method = method;
        plan.min_tiles = tiles;
        CAPTURE(tiles);
        check({spec, plan}, name(method));
      }
    }
  }
}

namespace {

/// Whether little is left of the products' magnitudes, so that rounding the kernel alone changes the result by more
/// than the tolerance: as where a boundary adds up taps of both signs on one voxel.
bool cancels(const Case& c) {
  std::vector<double> image = oracle::random_image(c.spec.image, 1);
  std::vector<double> kernel = c.plan.method == Method::separable ? oracle::random_separable(c.spec.kernel, 1001)
                                                                  : oracle::random_image(c.spec.kernel, 1001);
  const auto norm = [&](const ConvolutionSpec& spec) {
    double squares = 0;
    for (const double value : oracle::direct(spec, image, kernel)) squares += value * value;
    return std::sqrt(squares);
  };
  const double left = norm(c.spec);
  for (double& value : image) value = std::abs(value);
  for (double& value : kernel) value = std::abs(value);
  ConvolutionSpec magnitudes = c.spec;
  magnitudes.constant = std::abs(magnitudes.constant);
  return left < 0.05 * norm(magnitudes);
}

}  // namespace

TEST_CASE("batches of images in memory equal their images one by one, whole and in tiles") {
  for (const Sizes& size : {Sizes{{6, 9, 10}, {3, 4, 5}}, Sizes{{1, 1, 30}, {1, 1, 7}}}) {
    for (const Boundary boundary : {Boundary::zero, Boundary::reflect}) {
      for (const Operation operation : {Operation::convolve, Operation::correlate}) {
        ConvolutionSpec spec = spec_of(size);
        spec.boundary = boundary;
        spec.operation = operation;
        spec.batch = 5;
        for (const Index num_tiles : {1, 4}) {
          PlanOptions plan;
          plan.min_tiles = num_tiles;
          plan.min_sets = 2;
          check({spec, plan}, "batch");
        }
      }
    }
  }
}

TEST_CASE("batches are refused where their number is another, and name the image of a voxel that cannot be used") {
  ConvolutionSpec spec = spec_of({{2, 3, 4}, {1, 3, 3}});
  spec.batch = 3;
  std::vector<float> images(72, 1), output(72);
  const std::vector<float> kernel(9, 1);
  Convolver convolver(spec, ImageView(kernel, spec.kernel), device_under_test());
  const auto refuses = [&](const ImageView& in, const MutableImageView& out, const char* words) {
    CHECK_THROWS_WITH_AS(convolver.run(in, out), doctest::Contains(words), Error);
  };
  refuses({images.data(), Element::f32, spec.image}, {output.data(), Element::f32, spec.image, 3},
          "batch of 1 image(s)");
  refuses({images.data(), Element::f32, spec.image, 3}, {output.data(), Element::f32, spec.image, 2}, "planned for 3");
  images[24 + 13] = std::numeric_limits<float>::quiet_NaN();
  refuses({images.data(), Element::f32, spec.image, 3}, {output.data(), Element::f32, spec.image, 3},
          "z,y,x = 1,0,1 of image 1");
}

TEST_CASE("random problems without transforms equal the direct sum") {
  test::Dice dice(test::the_seed());
  const std::uint64_t count = test::number_from("CONVOY_TEST_CASES", plans_are_costly() ? 100 : 400);
  for (std::uint64_t i = 0; i < count; ++i) {
    Case problem{test::random_spec(dice), {}};
    problem.plan.method = dice.one_of({Method::direct, Method::separable});
    problem.plan.min_tiles = std::min<Index>(dice.one_of({1, 1, 2, 7}), num_voxels(output_shape(problem.spec)));
    problem.plan.min_sets = static_cast<int>(dice.between(1, 3));
    problem.spec.batch = dice.one_of({1, 1, 1, 2, 3});
    if (!device_under_test().limits().supports_f64) problem.spec.precision = Precision::f32;
    CAPTURE(i);
    if (!cancels(problem)) check(problem, name(problem.plan.method));
  }
}

TEST_CASE("kernels made for the taps of large problems") {
  // Beyond 2^24 products; odd and even rows, one plane and many, taps in registers, voxels in registers, and neither.
  std::vector<Sizes> large{{{1, 331, 257}, {1, 15, 14}}, {{33, 71, 100}, {5, 5, 5}}, {{1, 1, 200001}, {1, 1, 101}}};
  if (!plans_are_costly()) {
    large.insert(large.end(), {{{1, 1500, 1301}, {1, 3, 3}},
                               {{1, 700, 601}, {1, 7, 6}},
                               {{41, 130, 131}, {3, 3, 3}},
                               {{31, 60, 61}, {4, 5, 9}},
                               {{20, 50, 47}, {9, 9, 9}},
                               {{70, 4, 63}, {31, 3, 17}},
                               {{90, 64, 101}, {1, 5, 6}},
                               {{300, 3, 5000}, {4, 1, 1}},
                               {{6, 150, 150}, {6, 12, 11}}});
  }
  for (const Sizes& size : large) {
    for (const Mode mode : {Mode::same, Mode::valid}) {
      for (const Method method : {Method::direct, Method::separable}) {
        ConvolutionSpec spec = spec_of(size);
        spec.mode = mode;
        spec.boundary = mode == Mode::same ? Boundary::reflect : Boundary::zero;
        if (method == Method::separable && plans_are_costly()) continue;
        PlanOptions plan;
        plan.method = method;
        check({spec, plan}, name(method));
      }
    }
  }
}

TEST_CASE("without a transform a result is exactly 0 where the kernel reaches nothing else") {
  for (const Method method : {Method::direct, Method::separable}) {
    ConvolutionSpec spec = spec_of({{12, 20, 30}, {3, 5, 4}});
    std::vector<float> image(static_cast<std::size_t>(num_voxels(spec.image)));
    image[static_cast<std::size_t>((6 * 20 + 10) * 30 + 15)] = 1e6f;
    const std::vector<double> values = oracle::random_separable(spec.kernel, 3);
    const std::vector<float> kernel(values.begin(), values.end());
    PlanOptions plan;
    plan.method = method;
    Convolver convolver(spec, ImageView(kernel, spec.kernel), device_under_test(), options_for(plan));
    std::vector<float> output(image.size(), std::numeric_limits<float>::quiet_NaN());
    convolver.run(ImageView(image, spec.image), MutableImageView(output, spec.image));
    CHECK(std::count(output.begin(), output.end(), 0.0f) == num_voxels(spec.image) - num_voxels(spec.kernel));
  }
}

TEST_CASE("the fused path gives the same numbers as the direct sum") {
  PlanOptions fused;
  fused.path = Path::fused;
  int num_checked = 0;
  for (const Sizes& size : sizes()) {
    if (plans_are_costly() && ++num_checked > 2) return;
    ConvolutionSpec spec = spec_of(size);
    check({spec, fused});
    spec.mode = Mode::full;
    check({spec, fused});
    spec.mode = Mode::circular;
    check({spec, fused});
  }
}

TEST_CASE("the staged path gives the same numbers as the direct sum") {
  PlanOptions staged;
  staged.path = Path::staged;
  for (const Sizes& size : sizes()) {
    ConvolutionSpec spec = spec_of(size);
    check_precisions(spec, staged);
    if (plans_are_costly()) continue;
    for (const Mode mode : {Mode::full, Mode::circular}) {
      spec.mode = mode;
      check_precisions(spec, staged);
    }
  }
}

TEST_CASE("rows long enough to be aligned in memory") {
  for (const Sizes& size : {Sizes{{3, 4, 250}, {2, 3, 9}}, Sizes{{1, 5, 281}, {1, 3, 12}}}) {
    check_precisions(spec_of(size));
  }
}

TEST_CASE("planes of more rows than a workgroup takes at a time") {
  check_precisions(spec_of({{3, 130, 28}, {2, 7, 3}}));
  if (plans_are_costly()) return;
  check_precisions(spec_of({{2, 610, 20}, {2, 9, 4}}));
  check_precisions(spec_of({{3, 133, 30}, {2, 4, 2}}));
}

TEST_CASE("a kernel kept as its spectrum and one that is transformed on the way give the same") {
  std::vector<Sizes> sizes{{{40, 9, 10}, {5, 4, 5}}};
  if (!plans_are_costly()) sizes.insert(sizes.end(), {{{70, 8, 9}, {19, 3, 4}}, {{1, 90, 12}, {1, 11, 3}}});
  std::vector<Origin> origins{Origin{}};
  if (!plans_are_costly()) origins.insert(origins.end(), {{Origin::Rule::first, {0, 0, 0}}, Origin::at({0, 2, 1})});
  for (const Sizes& size : sizes) {
    ConvolutionSpec spec = spec_of(size);
    for (const Operation operation : {Operation::convolve, Operation::correlate}) {
      spec.operation = operation;
      for (const Origin& origin : origins) {
        spec.origin = origin;
        for (const FilterStorage storage : {FilterStorage::spectrum, FilterStorage::compact}) {
          PlanOptions plan;
          plan.tuning.filter_storage = storage;
          check_precisions(spec, plan);
        }
      }
    }
  }
}

TEST_CASE("kernels larger than the image are legal in every mode") {
  std::vector<Sizes> larger{{{4, 5, 6}, {9, 3, 14}}};
  if (!plans_are_costly())
    larger.insert(larger.end(), {{{5, 5, 5}, {16, 16, 16}}, {{1, 1, 3}, {1, 1, 50}}, {{2, 7, 3}, {5, 1, 9}}});
  for (const Sizes& size : larger) {
    for (const ConvolutionSpec& spec : every_mode(size)) {
      const bool contained =
          (size.image.z >= size.kernel.z && size.image.y >= size.kernel.y && size.image.x >= size.kernel.x) ||
          (size.image.z <= size.kernel.z && size.image.y <= size.kernel.y && size.image.x <= size.kernel.x);
      if (spec.mode == Mode::valid && !contained) continue;
      if (plans_are_costly() && (spec.origin.rule != Origin::Rule::center || spec.operation == Operation::correlate))
        continue;
      check({spec, {}});
    }
  }
}

TEST_CASE("tiled equals whole, for every boundary and operation") {
  std::vector<Index> counts{2, 10};
  if (!plans_are_costly()) counts.insert(counts.end(), {5, 37, 100});
  for (const ConvolutionSpec& spec : every_mode({{14, 20, 25}, {3, 4, 5}})) {
    if (spec.origin.rule != Origin::Rule::center) continue;
    for (const Index tiles : counts) {
      if (plans_are_costly() && tiles != 10 && (spec.operation == Operation::correlate || spec.mode != Mode::same))
        continue;
      PlanOptions plan;
      plan.min_tiles = tiles;
      CAPTURE(tiles);
      check({spec, plan}, "in tiles");
    }
  }
}

TEST_CASE("the adjoint law <A x, y> = <x, A' y> holds for every boundary and parity") {
  std::vector<Sizes> parities;
  for (int bits = 0; bits < 8; ++bits) {
    if (plans_are_costly() && bits != 0 && bits != 5) continue;
    parities.push_back({{6 + bits % 2, 7, 8}, {2 + (bits & 1), 4 + (bits >> 1 & 1), 5 + (bits >> 2 & 1)}});
  }
  for (const Sizes& size : parities) {
    for (const Boundary boundary : kAllBoundaries) {
      if (boundary == Boundary::constant) continue;  // with a constant of 0 it is zero, with another affine
      Case forward;
      forward.spec.image = size.image;
      forward.spec.kernel = size.kernel;
      forward.spec.boundary = boundary;
      Case adjoint = forward;
      adjoint.spec.operation = Operation::correlate;
      const auto x = oracle::random_image(size.image, 5);
      const auto y = oracle::random_image(size.image, 6);
      const auto kernel = oracle::random_image(size.kernel, 7);
      const auto ax = run<float>(forward, x, kernel);
      const auto aty = run<float>(adjoint, y, kernel);
      double left = 0, right = 0, scale = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        left += static_cast<double>(ax.voxels[i]) * y[i];
        right += x[i] * static_cast<double>(aty.voxels[i]);
        scale += std::abs(static_cast<double>(ax.voxels[i]) * y[i]);
      }
      CAPTURE(oracle::to_text(forward.spec));
      test::check_difference({"adjoint law", ax.path}, std::abs(left - right) / scale, tolerances::kAdjoint);
    }
  }
}

TEST_CASE("a delta stays where it is, for every parity of image and kernel") {
  for (Index n : {7, 8}) {
    for (Index k : {2, 3, 4, 5}) {
      if (plans_are_costly() && (n != 7 || k > 3)) continue;
      ConvolutionSpec spec;
      spec.image = {n, n, n};
      spec.kernel = {k, k, k};
      std::vector<float> image(static_cast<std::size_t>(n * n * n)), kernel(static_cast<std::size_t>(k * k * k));
      const auto at = [](Index side, Index i) { return static_cast<std::size_t>((i * side + i) * side + i); };
      image[at(n, n / 2)] = 1;
      kernel[at(k, k / 2)] = 1;
      const auto output =
          floats_of(convolve(ImageView(image, spec.image), ImageView(kernel, spec.kernel), spec, device_under_test()));
      CAPTURE(n);
      CAPTURE(k);
      CHECK(oracle::relative_l2(output, {image.begin(), image.end()}) <= tolerances::kFewVoxels);
    }
  }
}

TEST_CASE("scipy's documented cases") {
  const auto line = [](std::vector<float> a, std::vector<float> b, Mode mode,
                       Origin origin = {Origin::Rule::scipy, {}}) {
    ConvolutionSpec spec;
    spec.mode = mode;
    spec.origin = mode == Mode::same ? origin : Origin{};
    return floats_of(convolve(ImageView(a, {1, 1, static_cast<Index>(a.size())}),
                              ImageView(b, {1, 1, static_cast<Index>(b.size())}), spec, device_under_test()));
  };
  const auto expect = [](const std::vector<float>& got, const std::vector<double>& wanted) {
    CHECK(oracle::relative_l2(got, wanted) <= tolerances::kFewVoxels);
  };
  expect(line({1, 2, 3}, {1, 2, 3}, Mode::full), {1, 4, 10, 12, 9});
  expect(line({3, 4, 5}, {1, 2, 3, 4}, Mode::same), {10, 22, 34});
  const std::vector<float> a{1, 2, 3}, b{3, 3, 5, 6, 8, 7, 9, 0, 1};
  expect(line(a, b, Mode::same), {35, 41, 47});
  expect(line(b, a, Mode::same), {9, 20, 25, 35, 41, 47, 39, 28, 2});
  expect(line(b, {3, 2, 1}, Mode::valid), {24, 31, 41, 43, 49, 25, 12});
  expect(line({3, 2, 1}, b, Mode::valid), {24, 31, 41, 43, 49, 25, 12});
  // The two camps of even kernels, one voxel apart (delta at 3 of 7).
  expect(line({0, 0, 0, 1, 0, 0, 0}, {1, 2, 3, 4}, Mode::same), {0, 0, 1, 2, 3, 4, 0});
  expect(line({0, 0, 0, 1, 0, 0, 0}, {1, 2, 3, 4}, Mode::same, {}), {0, 1, 2, 3, 4, 0, 0});

  const auto square = [](std::vector<float> image, std::vector<float> kernel, Mode mode, Boundary boundary,
                         double constant) {
    ConvolutionSpec spec;
    spec.mode = mode;
    spec.boundary = boundary;
    spec.constant = constant;
    if (mode == Mode::same) spec.origin.rule = Origin::Rule::scipy;
    return floats_of(convolve(ImageView(image, {1, 2, 3}), ImageView(kernel, {1, 2, 3}), spec, device_under_test()));
  };
  expect(square({1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5, 6}, Mode::full, Boundary::zero, 0),
         {1, 4, 10, 12, 9, 8, 26, 56, 54, 36, 16, 40, 73, 60, 36});
  expect(square({1, 2, 3, 3, 4, 5}, {2, 3, 4, 4, 5, 6}, Mode::full, Boundary::zero, 0),
         {2, 7, 16, 17, 12, 10, 30, 62, 58, 38, 12, 31, 58, 49, 30});
  // convolve2d's boundaries, full mode: the middle 2 x 3 of its documented results are what mode same gives.
  expect(square({1, 2, 3, 3, 4, 5}, {2, 3, 4, 4, 5, 6}, Mode::same, Boundary::constant, 1), {26, 31, 34, 40, 62, 64});
  expect(square({1, 2, 3, 3, 4, 5}, {2, 3, 4, 4, 5, 6}, Mode::same, Boundary::reflect, 0), {30, 44, 62, 48, 62, 80});
  expect(square({1, 2, 3, 3, 4, 5}, {2, 3, 4, 4, 5, 6}, Mode::same, Boundary::wrap, 0), {80, 74, 80, 68, 62, 68});
}
