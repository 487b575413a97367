// What tests of arrays on the device share: arrays between margins, specs of every kind, runs against direct sums.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>

#include "backend/caller_arrays.hpp"
#include "base/voxel_rows.hpp"
#include "selftest/oracle.hpp"
#include "selftest/tolerances.hpp"
#include "support/device_under_test.hpp"
#include "support/differences.hpp"

namespace {

using namespace convoy;

Element real_of(const ConvolutionSpec& spec) { return spec.precision == Precision::f32 ? Element::f32 : Element::f64; }

ResidentOptions options_for(const ConvolutionSpec& spec, const PlanOptions& plan = {}) {
  ResidentOptions options;
  options.plan = plan;
  options.image = options.output = real_of(spec);
  options.sentinels = true;
  return options;
}

/// In the element's own values, so that both sides see the same.
std::vector<double> image_of(const ConvolutionSpec& spec, Element element) {
  std::vector<double> image;
  for (Index i = 0; i < spec.batch; ++i) {
    const std::vector<double> one = oracle::random_image(spec.image, static_cast<unsigned>(i + 1));
    image.insert(image.end(), one.begin(), one.end());
  }
  with_element(element, [&](auto voxel) {
    using T = decltype(voxel);
    for (double& value : image) {
      if (std::is_integral_v<T>) value = std::min(std::abs(value) * 50, 200.0);
      value = static_cast<double>(static_cast<T>(value));
    }
  });
  return image;
}

/// For Method::separable the sum of two products of functions of one axis each, in the precision's own numbers.
std::vector<double> kernel_of(const ConvolutionSpec& spec, Method method = Method::fft) {
  if (method != Method::separable) return oracle::random_image(spec.kernel, 1001);
  const Shape& shape = spec.kernel;
  std::vector<double> kernel(static_cast<std::size_t>(num_voxels(shape)));
  for (unsigned term = 0; term < 2; ++term) {
    const std::vector<double> z = oracle::random_image({1, 1, shape.z}, 3 * term + 1001);
    const std::vector<double> y = oracle::random_image({1, 1, shape.y}, 3 * term + 1002);
    const std::vector<double> x = oracle::random_image({1, 1, shape.x}, 3 * term + 1003);
    for (std::size_t i = 0; i < kernel.size(); ++i) {
      const auto place = static_cast<Index>(i);
      kernel[i] += z[static_cast<std::size_t>(place / (shape.y * shape.x))] *
                   y[static_cast<std::size_t>(place / shape.x % shape.y)] *
                   x[static_cast<std::size_t>(place % shape.x)];
    }
  }
  return kernel;
}

ResidentConvolver convolver_of(const ConvolutionSpec& spec, const ResidentOptions& options) {
  const std::vector<double> kernel = kernel_of(spec, options.plan.method);
  return ResidentConvolver(spec, ImageView(kernel, spec.kernel), device(), options);
}

struct Answer {
  std::vector<double> voxels;
  Path path;
};

Answer run(const ConvolutionSpec& spec, const ResidentOptions& options, const std::vector<double>& voxels) {
  Array image(options.image, spec.image, spec.batch);
  image.set(voxels);
  const Array output(options.output, output_shape(spec), spec.batch);
  ResidentConvolver convolver = convolver_of(spec, options);
  convolver.run(image.get(), output.get(), memory().stream());
  convolver.wait();
  CHECK(image.values() == voxels);
  return {output.values(), convolver.plan().path};
}

template <class Real>
void check_from_cpu(const test::DifferenceKind& kind, const ConvolutionSpec& spec, const PlanOptions& plan,
                    const std::vector<double>& image, const std::vector<double>& output) {
  const std::vector<double> kernel = kernel_of(spec, plan.method);
  test::check_difference_from_cpu<Real>(kind, spec, plan, {image.begin(), image.end()}, {kernel.begin(), kernel.end()},
                                        {output.begin(), output.end()});
}

/// Image by image.
std::vector<double> truth_of(ConvolutionSpec spec, const std::vector<double>& images, Method method = Method::fft) {
  const auto step = static_cast<std::ptrdiff_t>(num_voxels(spec.image));
  std::vector<double> truth;
  for (Index i = 0; i < spec.batch; ++i) {
    const auto begin = images.begin() + i * step;
    const std::vector<double> one = oracle::direct(spec, {begin, begin + step}, kernel_of(spec, method));
    truth.insert(truth.end(), one.begin(), one.end());
  }
  return truth;
}

void check_method(const ConvolutionSpec& spec, const PlanOptions& plan) {
  CAPTURE(oracle::to_text(spec));
  CAPTURE(name(plan.method));
  CAPTURE(plan.min_tiles);
  const std::vector<double> image = image_of(spec, real_of(spec));
  const std::vector<double> truth = truth_of(spec, image, plan.method);
  const Answer answer = run(spec, options_for(spec, plan), image);
  const test::DifferenceKind kind{"resident", answer.path, spec.precision};
  test::check_difference(kind, oracle::relative_l2(answer.voxels, truth), tolerances::convolution(spec.precision));
  if (spec.batch > 1) return;
  spec.precision == Precision::f32 ? check_from_cpu<float>(kind, spec, plan, image, answer.voxels)
                                   : check_from_cpu<double>(kind, spec, plan, image, answer.voxels);
}

/// By transforms, or by the method that the options name.
void check(const ConvolutionSpec& spec, PlanOptions plan = {}) {
  if (plan.method == Method::automatic) plan.method = Method::fft;
  check_method(spec, plan);
}

ConvolutionSpec spec_of(const Shape& image, const Shape& kernel, Mode mode = Mode::same,
                        Boundary boundary = Boundary::zero, Operation operation = Operation::convolve) {
  ConvolutionSpec spec;
  spec.image = image;
  spec.kernel = kernel;
  spec.mode = mode;
  spec.boundary = boundary;
  spec.constant = boundary == Boundary::constant && operation != Operation::correlate ? 1.3 : 0;
  spec.operation = operation;
  return spec;
}

std::vector<ConvolutionSpec> every_mode(const Shape& image, const Shape& kernel) {
  std::vector<ConvolutionSpec> specs{spec_of(image, kernel, Mode::same, Boundary::reflect, Operation::flip)};
  for (const Operation operation : {Operation::convolve, Operation::correlate}) {
    for (const Mode mode : {Mode::full, Mode::valid, Mode::circular}) {
      if (!plans_are_costly()) specs.push_back(spec_of(image, kernel, mode, Boundary::zero, operation));
    }
    for (const Boundary boundary : kAllBoundaries) {
      if (operation == Operation::convolve && !plans_are_costly() && boundary != Boundary::zero) {
        specs.push_back(spec_of(image, kernel, Mode::full, boundary));
      }
      const bool folds = boundary != Boundary::zero && boundary != Boundary::constant && boundary != Boundary::wrap;
      if (plans_are_costly() && operation == Operation::correlate && !folds) continue;
      specs.push_back(spec_of(image, kernel, Mode::same, boundary, operation));
    }
  }
  return specs;
}

PlanOptions tiles(Index at_least) {
  PlanOptions plan;
  plan.min_tiles = at_least;
  return plan;
}

PlanOptions by(Method method, Index at_least = 1) {
  PlanOptions plan = tiles(at_least);
  plan.method = method;
  return plan;
}

}  // namespace
