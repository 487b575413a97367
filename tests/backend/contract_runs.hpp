// What the contract suite's files share: cases, runs on the device under test, and the check against the direct sum.
#pragma once

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

namespace convoy::contract {

struct Case {
  ConvolutionSpec spec;
  PlanOptions plan;
};

inline ConvolverOptions options_for(const PlanOptions& plan) {
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
inline std::vector<double> truth_of(const ConvolutionSpec& spec, const std::vector<double>& images,
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

inline void check(const Case& c, const char* kind = "whole") {
  CAPTURE(oracle::to_text(c.spec));
  c.spec.precision == Precision::f32 ? check_as<float>(c, kind) : check_as<double>(c, kind);
}

/// The sizes that are tried in every mode: odd and even, in one, two and three dimensions.
struct Sizes {
  Shape image, kernel;
};
inline const std::vector<Sizes>& sizes() {
  static const std::vector<Sizes> few{{{6, 9, 10}, {3, 4, 5}}, {{1, 13, 8}, {1, 5, 4}}, {{1, 1, 30}, {1, 1, 7}}};
  static const std::vector<Sizes> many{{{6, 9, 10}, {3, 4, 5}},  {{5, 8, 9}, {2, 3, 4}},  {{1, 13, 8}, {1, 5, 4}},
                                       {{1, 1, 30}, {1, 1, 7}},  {{9, 1, 14}, {4, 1, 3}}, {{7, 11, 1}, {3, 2, 1}},
                                       {{12, 1, 1}, {5, 1, 1}},  {{1, 1, 1}, {1, 1, 1}},  {{8, 9, 10}, {1, 1, 1}},
                                       {{17, 19, 23}, {5, 7, 3}}};
  return plans_are_costly() ? few : many;
}

inline std::vector<float> floats_of(const Image& image) {
  const auto voxels = image.voxels<float>();
  return {voxels.begin(), voxels.end()};
}

inline ConvolutionSpec spec_of(const Sizes& size) {
  ConvolutionSpec spec;
  spec.image = size.image;
  spec.kernel = size.kernel;
  return spec;
}

/// In single precision, and in double where the device has it.
inline void check_precisions(ConvolutionSpec spec, const PlanOptions& plan = {}) {
  for (const Precision precision : {Precision::f32, Precision::f64}) {
    if (precision == Precision::f64 && !device_under_test().limits().supports_f64) continue;
    spec.precision = precision;
    check({spec, plan});
  }
}

inline std::vector<ConvolutionSpec> every_mode(const Sizes& size) {
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

}  // namespace convoy::contract
