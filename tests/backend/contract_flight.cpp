// The contract on runs of several tiles in flight, moved in pieces, from ordinary memory and from memory that the
// device reaches: the same bits whichever way.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "selftest/oracle.hpp"
#include "selftest/tolerances.hpp"
#include "support/device_under_test.hpp"
#include "support/differences.hpp"

using namespace convoy;

namespace {

ConvolutionSpec spec_of(const Shape& image, const Shape& kernel, Boundary boundary = Boundary::zero) {
  ConvolutionSpec spec;
  spec.image = image;
  spec.kernel = kernel;
  spec.boundary = boundary;
  return spec;
}

ConvolverOptions in_flight(int num_in_flight, Index num_tiles, std::uint64_t piece_bytes) {
  ConvolverOptions options;
  options.sentinels = true;
  options.plan.min_sets = options.plan.max_sets = num_in_flight;
  options.plan.min_tiles = num_tiles;
  options.plan.piece_bytes = piece_bytes;
  options.sums = num_in_flight != 2;
  return options;
}

template <class Real>
class Problem {
 public:
  Problem(const ConvolutionSpec& spec, const ConvolverOptions& options)
      : spec_(spec),
        options_(options),
        image_(oracle::random_image(spec.image, 21)),
        kernel_(oracle::random_image(spec.kernel, 22)),
        truth_(oracle::direct(spec, image_, kernel_)),
        voxels_(image_.begin(), image_.end()),
        weights_(kernel_.begin(), kernel_.end()) {
    spec_.precision = sizeof(Real) == 4 ? Precision::f32 : Precision::f64;
    convolver_.emplace(spec_, ImageView(weights_, spec.kernel), device_under_test(), options);
  }

  const Plan& plan() const { return convolver_->plan(); }
  void check_answer(const std::vector<Real>& output) const {
    const test::DifferenceKind kind{"in flight", plan().path, spec_.precision};
    test::check_difference(kind, oracle::relative_l2(output, truth_), tolerances::convolution(spec_.precision));
    test::check_difference_from_cpu(kind, spec_, options_.plan, voxels_, weights_, output);
  }

  std::vector<Real> from_ordinary_memory() {
    std::vector<Real> output(truth_.size(), std::numeric_limits<Real>::quiet_NaN());
    check(convolver_->run(ImageView(voxels_, spec_.image), MutableImageView(output, convolver_->output_shape())));
    return output;
  }

  std::vector<Real> from_pinned_memory() {
    PinnedBuffer image = pinned_image();
    PinnedBuffer output(device_under_test(), truth_.size() * sizeof(Real));
    check(run(image, output));
    return {output.as<Real>().begin(), output.as<Real>().end()};
  }

  void check_refusal_of_nan_in_pinned_memory() {
    PinnedBuffer image = pinned_image();
    PinnedBuffer output(device_under_test(), truth_.size() * sizeof(Real));
    image.as<Real>()[voxels_.size() / 2] = std::numeric_limits<Real>::quiet_NaN();
    CHECK_THROWS_WITH_AS(run(image, output), doctest::Contains("1 NaN or infinite"), Error);
    image.as<Real>()[voxels_.size() / 2] = std::numeric_limits<Real>::max();  // finite, but its products overflow
    CHECK_THROWS_WITH_AS(run(image, output), doctest::Contains("1 voxel(s) so large"), Error);
  }

 private:
  PinnedBuffer pinned_image() const {
    PinnedBuffer image(device_under_test(), voxels_.size() * sizeof(Real));
    std::copy(voxels_.begin(), voxels_.end(), image.as<Real>().begin());
    return image;
  }
  RunReport run(PinnedBuffer& image, PinnedBuffer& output) {
    std::fill(output.as<Real>().begin(), output.as<Real>().end(), std::numeric_limits<Real>::quiet_NaN());
    return convolver_->run(ImageView(image.as<Real>(), spec_.image),
                           MutableImageView(output.as<Real>(), convolver_->output_shape()));
  }
  void check(const RunReport& report) const {
    double in = 0, out = 0, magnitude = 0;
    for (const double voxel : image_) in += static_cast<double>(static_cast<Real>(voxel));
    for (const double voxel : truth_) {
      out += voxel;
      magnitude += std::abs(voxel);
    }
    if (options_.sums) {
      CHECK(report.input_sum == doctest::Approx(in).epsilon(1e-9));
      CHECK(std::abs(report.output_sum - out) <= tolerances::kFlux * magnitude);
    } else {
      CHECK(std::isnan(report.input_sum));
      CHECK(std::isnan(report.output_sum));
    }
    CHECK(report.num_tiles == plan().num_tiles());
  }

  ConvolutionSpec spec_;
  ConvolverOptions options_;
  std::vector<double> image_, kernel_, truth_;
  std::vector<Real> voxels_, weights_;
  std::optional<Convolver> convolver_;
};

template <class Real>
void check_all_ways(const ConvolutionSpec& spec, const ConvolverOptions& options) {
  CAPTURE(oracle::to_text(spec));
  CAPTURE(options.plan.min_sets);
  Problem<Real> problem(spec, options);
  CHECK(problem.plan().num_in_flight == options.plan.min_sets);
  CHECK(problem.plan().num_tiles() >= options.plan.min_tiles);
  const std::vector<Real> ordinary = problem.from_ordinary_memory();
  problem.check_answer(ordinary);
  CHECK(problem.from_pinned_memory() == ordinary);
  CHECK(problem.from_ordinary_memory() == ordinary);
  problem.check_refusal_of_nan_in_pinned_memory();
}

}  // namespace

TEST_CASE("volumes in flight, with every boundary") {
  std::vector<Boundary> boundaries{Boundary::zero, Boundary::reflect};
  if (!plans_are_costly()) boundaries.insert(boundaries.end(), {Boundary::constant, Boundary::nearest, Boundary::wrap});
  for (const Boundary boundary : boundaries) {
    for (const int num_in_flight : {3, 2}) {
      if (plans_are_costly() && num_in_flight == 2 && boundary != Boundary::zero) continue;
      check_all_ways<float>(spec_of({14, 20, 25}, {3, 4, 5}, boundary), in_flight(num_in_flight, 7, 1000));
    }
  }
}

TEST_CASE("one tile in pieces, planes, lines and long axes last") {
  check_all_ways<float>(spec_of({14, 20, 25}, {3, 4, 5}), in_flight(1, 1, 3000));
  check_all_ways<float>(spec_of({1, 50, 31}, {1, 4, 5}), in_flight(3, 4, 500));
  if (plans_are_costly()) return;
  check_all_ways<float>(spec_of({1, 1, 300}, {1, 1, 5}), in_flight(2, 4, 100));
  check_all_ways<float>(spec_of({40, 12, 25}, {3, 12, 3}), in_flight(3, 5, 1000));
  check_all_ways<float>(spec_of({14, 20, 25}, {3, 4, 5}), in_flight(3, 60, 1));
}

TEST_CASE("NaN in page-locked memory is reported where outputs are folded back") {
  ConvolutionSpec spec = spec_of({14, 20, 25}, {3, 4, 5}, Boundary::reflect);
  spec.operation = Operation::correlate;
  Problem<float>(spec, in_flight(2, 3, 1000)).check_refusal_of_nan_in_pinned_memory();
}

TEST_CASE("double precision in flight") {
  if (!device_under_test().limits().supports_f64) return;
  check_all_ways<double>(spec_of({9, 14, 16}, {3, 4, 5}), in_flight(3, 5, 1000));
}

TEST_CASE("the adjoint of a boundary in flight") {
  ConvolutionSpec spec = spec_of({14, 20, 25}, {3, 4, 5}, Boundary::reflect);
  spec.operation = Operation::correlate;
  check_all_ways<float>(spec, in_flight(3, 7, 1000));
}

TEST_CASE("NaN is found wherever the image lies, and the next run is right again") {
  const ConvolutionSpec spec = spec_of({14, 20, 25}, {3, 4, 5});
  const std::vector<double> truth_kernel = oracle::random_image(spec.kernel, 2);
  const std::vector<float> kernel(truth_kernel.begin(), truth_kernel.end());
  Convolver convolver(spec, ImageView(kernel, spec.kernel), device_under_test(), in_flight(3, 7, 1000));
  const auto count = static_cast<std::size_t>(num_voxels(spec.image));
  PinnedBuffer pinned_image(device_under_test(), count * sizeof(float));
  PinnedBuffer pinned_output(device_under_test(), count * sizeof(float));
  const auto image = pinned_image.as<float>();
  const auto output = pinned_output.as<float>();
  const std::vector<double> voxels = oracle::random_image(spec.image, 1);
  std::copy(voxels.begin(), voxels.end(), image.begin());
  const auto run = [&](std::span<float> from) {
    return convolver.run(ImageView(from, spec.image), MutableImageView(output, spec.image));
  };
  image[6000] = image[6500] = NAN;
  std::vector<float> ordinary(image.begin(), image.end());
  for (const std::span<float> from : {image, std::span<float>(ordinary)}) {
    CHECK_THROWS_WITH_AS(run(from), doctest::Contains("2 NaN or infinite voxel(s), the first at z,y,x = 12,0,0"),
                         Error);
  }
  std::copy(voxels.begin(), voxels.end(), image.begin());
  run(image);
  CHECK(oracle::relative_l2(std::vector<float>(output.begin(), output.end()),
                            oracle::direct(spec, voxels, truth_kernel)) <= tolerances::convolution(Precision::f32));
}
