// The contract on missing voxels: the normalised convolution by its definition, NaN that is preserved, NaN outside.
#include "backend/contract_runs.hpp"

using namespace convoy;
using namespace convoy::contract;

namespace {

struct Missing {
  ConvolutionSpec spec;
  PlanOptions plan;
  double holes = 0.1;  ///< part of the voxels that are NaN
};

/// With NaN where the image is missing, an infinity among them.
std::vector<double> image_with_holes(const ConvolutionSpec& spec, double holes) {
  const auto count = static_cast<std::size_t>(num_voxels(spec.image) * spec.batch);
  std::vector<double> image = oracle::random_values(count, 21);
  const std::vector<double> dice = oracle::random_values(count, 22);
  std::vector<double> sorted = dice;
  std::sort(sorted.begin(), sorted.end());
  const double below = sorted[static_cast<std::size_t>(holes * static_cast<double>(count - 1))];
  for (std::size_t i = 0; i < count; ++i) {
    if (dice[i] < below) image[i] = NAN;
  }
  if (holes > 0) image[count / 2] = INFINITY;
  return image;
}

std::vector<double> positive_kernel(const Shape& shape) {
  std::vector<double> kernel = oracle::random_image(shape, 23);
  for (double& value : kernel) value = static_cast<double>(static_cast<float>(std::abs(value) + 0.1));
  return kernel;
}

/// (k * x) s / (k * m) by direct sums; voxels outside count as known, of value 0 or the constant, unless that is NaN.
std::vector<double> interpolated(const ConvolutionSpec& spec, const std::vector<double>& image,
                                 const std::vector<double>& kernel) {
  std::vector<double> values, known;
  for (const double value : image) {
    values.push_back(std::isfinite(value) ? value : 0);
    known.push_back(std::isfinite(value) ? 1 : 0);
  }
  const bool shows_outside = (spec.mode == Mode::same || spec.mode == Mode::full) &&
                             (spec.boundary == Boundary::zero || spec.boundary == Boundary::constant);
  ConvolutionSpec of_values = spec, of_known = spec;
  if (shows_outside) {
    of_known.boundary = Boundary::constant;
    of_known.constant = std::isnan(spec.constant) ? 0 : 1;
    if (std::isnan(spec.constant)) of_values.constant = 0;
  }
  if (spec.mode == Mode::full && spec.boundary == Boundary::zero) of_values.boundary = Boundary::zero;
  std::vector<double> top = truth_of(of_values, values, kernel);
  const std::vector<double> bottom = truth_of(of_known, known, kernel);
  double sum = 1;
  if (!spec.normalize_kernel) {
    sum = 0;
    for (const double value : kernel) sum += value;
  }
  for (std::size_t i = 0; i < top.size(); ++i) {
    top[i] = bottom[i] > 1e-12 ? top[i] * sum / bottom[i] : static_cast<double>(NAN);
  }
  return top;
}

/// NaN must be where it is expected, and nowhere else.
template <class Real>
void check_with_holes(const std::vector<Real>& got, std::vector<double> expected, double tolerance, Index counted) {
  std::vector<Real> values = got;
  Index num_nan = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    REQUIRE(std::isnan(got[i]) == std::isnan(expected[i]));
    if (!std::isnan(expected[i])) continue;
    values[i] = 0;
    expected[i] = 0;
    ++num_nan;
  }
  CHECK(counted == num_nan);
  CHECK(oracle::relative_l2(values, expected) <= tolerance);
}

template <class Real>
void check_as_real(Missing problem) {
  ConvolutionSpec& spec = problem.spec;
  spec.precision = std::is_same_v<Real, float> ? Precision::f32 : Precision::f64;
  const std::vector<double> image = image_with_holes(spec, problem.holes);
  const std::vector<double> kernel = positive_kernel(spec.kernel);
  const std::vector<Real> voxels(image.begin(), image.end()), weights(kernel.begin(), kernel.end());
  Convolver convolver(spec, ImageView(weights, spec.kernel), device_under_test(), options_for(problem.plan));
  const Shape shape = convolver.output_shape();
  std::vector<Real> output(static_cast<std::size_t>(num_voxels(shape) * spec.batch), Real(-1));
  const RunReport report = convolver.run(ImageView(voxels, spec.image, spec.batch), {output, shape, spec.batch});
  ConvolutionSpec whole = spec;
  std::vector<double> expected = interpolated(whole, image, kernel);
  if (spec.preserve_nan) {
    for (std::size_t i = 0; i < expected.size(); ++i) {
      if (!std::isfinite(image[i])) expected[i] = NAN;
    }
  }
  CAPTURE(oracle::to_text(spec));
  // What is left of a kernel where most is missing makes rounding errors so much larger.
  check_with_holes(output, expected, 20 * tolerances::convolution(spec.precision), report.nan_voxels);
  CHECK(report.non_finite_voxels ==
        std::count_if(image.begin(), image.end(), [](double v) { return !std::isfinite(v); }));
}

void check_both(const Missing& problem) {
  check_as_real<float>(problem);
  if (!plans_are_costly() && device_under_test().limits().supports_f64) check_as_real<double>(problem);
}

ConvolutionSpec interpolating(Boundary boundary = Boundary::zero) {
  ConvolutionSpec spec;
  spec.image = {6, 9, 14};
  spec.kernel = {2, 3, 4};
  spec.boundary = boundary;
  spec.constant = boundary == Boundary::constant ? 2.5 : 0;
  spec.non_finite = NonFinite::interpolate;
  return spec;
}

}  // namespace

TEST_CASE("missing voxels are interpolated through every boundary") {
  for (const Boundary boundary : kAllBoundaries) {
    for (const Operation operation : {Operation::convolve, Operation::flip}) {
      if (plans_are_costly() && (operation == Operation::flip || boundary == Boundary::mirror)) continue;
      Missing problem{interpolating(boundary), {}};
      problem.spec.operation = operation;
      check_both(problem);
      if (plans_are_costly()) continue;
      problem.plan.min_tiles = 6;
      problem.spec.normalize_kernel = true;
      check_both(problem);
      problem.spec.mode = Mode::full;
      check_both(problem);
    }
  }
}

TEST_CASE("missing voxels are interpolated in every mode and method") {
  for (const Mode mode : {Mode::valid, Mode::circular, Mode::full}) {
    Missing problem{interpolating(), {}};
    problem.spec.mode = mode;
    check_both(problem);
  }
  Missing problem{interpolating(), {}};
  problem.spec.batch = 3;
  problem.plan.method = Method::direct;
  problem.plan.min_tiles = 2;
  check_both(problem);
}

TEST_CASE("where a kernel reaches nothing the result is NaN, and counted") {
  for (const Boundary boundary : {Boundary::zero, Boundary::nearest}) {
    Missing problem{interpolating(boundary), {}};
    problem.holes = 0.93;
    problem.plan.min_tiles = 3;
    check_both(problem);
  }
}

TEST_CASE("without missing voxels interpolation changes nothing") {
  ConvolutionSpec spec = interpolating(Boundary::constant);
  const std::vector<double> image = oracle::random_image(spec.image, 1), kernel = positive_kernel(spec.kernel);
  const Answer<float> with = run<float>({spec, {}}, image, kernel);
  spec.non_finite = NonFinite::zero;
  CHECK(with.voxels == run<float>({spec, {}}, image, kernel).voxels);
}

TEST_CASE("NaN outside the image is missing, too") {
  Missing problem{interpolating(Boundary::constant), {}};
  problem.spec.constant = NAN;
  check_both(problem);
  problem.plan.min_tiles = 5;
  problem.spec.mode = Mode::full;
  check_both(problem);
}

TEST_CASE("NaN is preserved where the image has it") {
  for (const Boundary boundary : {Boundary::zero, Boundary::reflect}) {
    Missing problem{interpolating(boundary), {}};
    problem.spec.preserve_nan = true;
    check_both(problem);
    problem.plan.min_tiles = 7;
    check_both(problem);
  }
  Missing problem{interpolating(), {}};
  problem.spec.preserve_nan = true;
  problem.spec.mode = Mode::circular;
  check_both(problem);
  problem.spec.kernel = {7, 3, 20};  // folded onto the image
  check_both(problem);
}

TEST_CASE("NaN taken as 0 can be preserved, in a region, too") {
  ConvolutionSpec spec = interpolating(Boundary::nearest);
  spec.non_finite = NonFinite::zero;
  spec.preserve_nan = true;
  spec.region = Box{{1, 2, 3}, {4, 6, 8}};
  const std::vector<double> image = image_with_holes(spec, 0.2), kernel = positive_kernel(spec.kernel);
  std::vector<double> zeroed = image;
  for (double& value : zeroed) value = std::isfinite(value) ? value : 0;
  ConvolutionSpec whole = spec;
  whole.region.reset();
  const std::vector<double> all = oracle::direct(whole, zeroed, kernel);
  std::vector<double> expected;
  for (Index z = 1; z < 5; ++z) {
    for (Index y = 2; y < 8; ++y) {
      for (Index x = 3; x < 11; ++x) {
        const auto at = static_cast<std::size_t>((z * spec.image.y + y) * spec.image.x + x);
        expected.push_back(std::isfinite(image[at]) ? all[at] : static_cast<double>(NAN));
      }
    }
  }
  const std::vector<float> voxels(image.begin(), image.end()), weights(kernel.begin(), kernel.end());
  for (const Index tiles : {1, 4}) {
    PlanOptions plan;
    plan.min_tiles = tiles;
    Convolver convolver(spec, ImageView(weights, spec.kernel), device_under_test(), options_for(plan));
    std::vector<float> output(expected.size());
    const RunReport report = convolver.run(ImageView(voxels, spec.image), {output, convolver.output_shape()});
    check_with_holes(output, expected, tolerances::convolution(Precision::f32), report.nan_voxels);
  }
}

TEST_CASE("outputs that see NaN outside the image are NaN") {
  for (const Mode mode : {Mode::same, Mode::full}) {
    ConvolutionSpec spec = interpolating(Boundary::constant);
    spec.non_finite = NonFinite::error;
    spec.constant = NAN;
    spec.mode = mode;
    const std::vector<double> image = oracle::random_image(spec.image, 3), kernel = positive_kernel(spec.kernel);
    ConvolutionSpec zero = spec;
    zero.boundary = Boundary::zero;
    std::vector<double> expected = oracle::direct(zero, image, kernel);
    // Where a constant of 1 makes a difference, the output sees the outside.
    zero.boundary = Boundary::constant;
    zero.constant = 1;
    const std::vector<double> seen = oracle::direct(zero, std::vector<double>(image.size(), 0.0), kernel);
    for (std::size_t i = 0; i < seen.size(); ++i) {
      if (seen[i] != 0) expected[i] = NAN;
    }
    const std::vector<float> voxels(image.begin(), image.end()), weights(kernel.begin(), kernel.end());
    for (const Index tiles : {1, 5}) {
      PlanOptions plan;
      plan.min_tiles = tiles;
      Convolver convolver(spec, ImageView(weights, spec.kernel), device_under_test(), options_for(plan));
      std::vector<float> output(expected.size());
      const RunReport report = convolver.run(ImageView(voxels, spec.image), {output, convolver.output_shape()});
      check_with_holes(output, expected, tolerances::convolution(Precision::f32), report.nan_voxels);
    }
  }
}
