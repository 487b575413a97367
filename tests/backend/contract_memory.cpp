// The contract on memory, reuse and failure: bytes as planned, nothing left behind, clear errors, whole results.
#include <doctest/doctest.h>

#include <cmath>
#include <thread>

#include "selftest/oracle.hpp"
#include "selftest/tolerances.hpp"
#include "support/device_under_test.hpp"

using namespace convoy;

namespace {

ConvolutionSpec small_spec() {
  ConvolutionSpec spec;
  spec.image = {14, 20, 25};
  spec.kernel = {3, 4, 5};
  return spec;
}

std::vector<float> to_f32(const std::vector<double>& values) { return {values.begin(), values.end()}; }

struct Problem {
  ConvolutionSpec spec = small_spec();
  std::vector<double> image = oracle::random_image(spec.image, 11);
  std::vector<double> kernel = oracle::random_image(spec.kernel, 12);
  std::vector<float> image_f32 = to_f32(image);
  std::vector<float> kernel_f32 = to_f32(kernel);
  std::vector<double> truth = oracle::direct(spec, image, kernel);

  Convolver convolver(const ConvolverOptions& options = {}) const {
    return Convolver(spec, ImageView(kernel_f32, spec.kernel), device_under_test(), options);
  }
  double error(Convolver& convolver) const {
    std::vector<float> output(truth.size(), NAN);
    convolver.run(ImageView(image_f32, spec.image), MutableImageView(output, spec.image));
    return oracle::relative_l2(output, truth);
  }
};

ConvolverOptions with_sums() {
  ConvolverOptions options;
  options.sums = true;
  return options;
}

}  // namespace

TEST_CASE("the device holds what the ledger says, and nothing afterwards") {
  const Problem problem;
  Device device = device_under_test();
  const std::uint64_t before = device.used_bytes();
  {
    Convolver convolver = problem.convolver();
    const std::uint64_t held = device.used_bytes() - before;
    const auto planned = static_cast<double>(convolver.plan().footprint_bytes);
    CAPTURE(held);
    CAPTURE(planned);
    // Drivers round allocations up: half a mebibyte in all is allowed beside the 5 %.
    CHECK(static_cast<double>(held) <= 1.05 * planned + 512 * 1024);
    CHECK(static_cast<double>(held) >= 0.5 * planned);
    CHECK(problem.error(convolver) <= tolerances::convolution(Precision::f32));
    CHECK(device.used_bytes() - before == held);
  }
  CHECK(device.used_bytes() == before);
}

TEST_CASE("memory is reported after every step, down to where it was") {
  const Problem problem;
  Device device = device_under_test();
  const std::uint64_t before = device.used_bytes();
  std::vector<std::pair<std::string, std::uint64_t>> steps;
  ConvolverOptions options;
  options.trace_memory = [&](const std::string& step, std::uint64_t used) { steps.emplace_back(step, used); };
  {
    Convolver convolver = problem.convolver(options);
    problem.error(convolver);
  }
  REQUIRE(steps.size() >= 5);
  CHECK(steps.back().second == before);
  std::uint64_t most = 0;
  for (const auto& step : steps) most = std::max(most, step.second);
  CHECK(most > before);
}

TEST_CASE("a memory limit makes tiles, and every limit down to the named bound works") {
  const Problem problem;
  const Limits limits = device_under_test().limits();
  ConvolverOptions options;
  options.plan.max_sets = 1;  // threads of the host would each take a tile
  const Plan whole = make_plan(problem.spec, limits, options.plan);
  CHECK(whole.num_tiles() == 1);
  std::vector<std::uint64_t> budgets{whole.footprint_bytes / 2, whole.smallest_footprint_bytes};
  if (!plans_are_costly()) budgets.insert(budgets.begin(), {whole.footprint_bytes - 1, whole.footprint_bytes / 4});
  for (const std::uint64_t budget : budgets) {
    options.plan.memory_limit_bytes = std::max(budget, whole.smallest_footprint_bytes);
    CAPTURE(budget);
    Convolver convolver = problem.convolver(options);
    if (budget <= whole.footprint_bytes / 2) CHECK(convolver.plan().num_tiles() > 1);
    CHECK(convolver.plan().footprint_bytes <= options.plan.memory_limit_bytes);
    CHECK(problem.error(convolver) <= tolerances::convolution(Precision::f32));
  }
  options.plan.memory_limit_bytes = whole.smallest_footprint_bytes - 1;
  CHECK_THROWS_AS(problem.convolver(options), OutOfMemory);
  try {
    problem.convolver(options);
  } catch (const OutOfMemory& refusal) {
    CHECK(refusal.requested_bytes() == whole.smallest_footprint_bytes);
    CHECK(refusal.limit_bytes() == options.plan.memory_limit_bytes);
  }
  Convolver after = problem.convolver();
  CHECK(problem.error(after) <= tolerances::convolution(Precision::f32));
}

TEST_CASE("a convolver serves many images, each with the same bits") {
  const Problem problem;
  Convolver convolver = problem.convolver();
  std::vector<float> first(problem.truth.size()), second(problem.truth.size());
  convolver.run(ImageView(problem.image_f32, problem.spec.image), MutableImageView(first, problem.spec.image));
  const std::vector<float> zeros(problem.truth.size());
  convolver.run(ImageView(zeros, problem.spec.image), MutableImageView(second, problem.spec.image));
  CHECK(second == zeros);
  convolver.run(ImageView(problem.image_f32, problem.spec.image), MutableImageView(second, problem.spec.image));
  CHECK(first == second);
}

TEST_CASE("integer images in and out: rounded, clipped, counted; flux reported") {
  Problem problem;
  std::vector<std::uint16_t> image(problem.image.size());
  std::vector<std::uint8_t> bytes(problem.image.size());
  for (std::size_t i = 0; i < image.size(); ++i) {
    image[i] = static_cast<std::uint16_t>(1000 + 100 * problem.image[i]);
    bytes[i] = static_cast<std::uint8_t>(100 + 20 * problem.image[i]);
    problem.image[i] = image[i];
  }
  problem.spec.normalize_kernel = true;
  problem.spec.boundary = Boundary::reflect;
  for (double& value : problem.kernel) value = std::abs(value) + 0.1;
  problem.kernel_f32 = to_f32(problem.kernel);
  problem.truth = oracle::direct(problem.spec, problem.image, problem.kernel);
  Convolver convolver = problem.convolver(with_sums());

  std::vector<std::uint16_t> output(image.size());
  const RunReport report =
      convolver.run(ImageView(image, problem.spec.image), MutableImageView(output, problem.spec.image));
  double sum_in = 0, sum_out = 0, worst = 0;
  for (std::size_t i = 0; i < output.size(); ++i) {
    sum_in += image[i];
    sum_out += problem.truth[i];
    worst = std::max(worst, std::abs(output[i] - problem.truth[i]));
  }
  CHECK(worst <= 0.51);
  CHECK(report.saturated_voxels == 0);
  CHECK(std::abs(report.input_sum - sum_in) <= 1e-9 * sum_in);
  CHECK(std::abs(report.output_sum - sum_out) <= tolerances::kFlux * sum_out);

  std::vector<std::uint8_t> narrow(image.size());
  const RunReport clipped =
      convolver.run(ImageView(image, problem.spec.image), MutableImageView(narrow, problem.spec.image));
  CHECK(clipped.saturated_voxels == static_cast<Index>(narrow.size()));
  CHECK(narrow.front() == 255);
  convolver.run(ImageView(bytes, problem.spec.image), MutableImageView(narrow, problem.spec.image));
  CHECK(narrow.front() > 50);
  std::vector<double> wide(image.size());
  convolver.run(ImageView(image, problem.spec.image), MutableImageView(wide, problem.spec.image));
  CHECK(oracle::relative_l2(wide, problem.truth) <= tolerances::convolution(Precision::f32));
}

TEST_CASE("NaN in the image is refused or taken as zero; NaN in the kernel is refused") {
  Problem problem;
  problem.image_f32[77] = NAN;
  problem.image_f32[78] = INFINITY;
  Convolver strict = problem.convolver();
  std::vector<float> output(problem.truth.size());
  const auto run = [&](Convolver& convolver) {
    return convolver.run(ImageView(problem.image_f32, problem.spec.image),
                         MutableImageView(output, problem.spec.image));
  };
  CHECK_THROWS_WITH_AS(run(strict), doctest::Contains("2 NaN or infinite voxel(s), the first at z,y,x = 0,3,2"), Error);

  problem.spec.non_finite = NonFinite::zero;
  problem.image[77] = problem.image[78] = 0;
  problem.truth = oracle::direct(problem.spec, problem.image, problem.kernel);
  Convolver lenient = problem.convolver();
  CHECK(run(lenient).non_finite_voxels == 2);
  CHECK(oracle::relative_l2(output, problem.truth) <= tolerances::convolution(Precision::f32));

  problem.kernel_f32[3] = NAN;
  CHECK_THROWS_WITH_AS(problem.convolver(), doctest::Contains("kernel has 1 NaN"), Error);
}

TEST_CASE("a stopped run says so, and the convolver goes on afterwards") {
  const Problem problem;
  bool stop = true;
  Index calls = 0;
  ConvolverOptions options;
  options.plan.min_tiles = 4;
  options.progress = [&](const Progress& progress) {
    ++calls;
    CHECK(progress.fraction() > 0);
    CHECK(progress.tiles_done <= progress.num_tiles);
    return !stop;
  };
  Convolver convolver = problem.convolver(options);
  try {
    problem.error(convolver);
    FAIL("not stopped");
  } catch (const Error& stopped) {
    CHECK(stopped.code() == Errc::cancelled);
  }
  CHECK(calls == 1);
  stop = false;
  CHECK(problem.error(convolver) <= tolerances::convolution(Precision::f32));
}

TEST_CASE("wrong shapes and overlapping buffers are refused with the numbers") {
  const Problem problem;
  Convolver convolver = problem.convolver();
  std::vector<float> image = problem.image_f32;
  CHECK_THROWS_WITH_AS(convolver.run(ImageView(image, {20, 14, 25}), MutableImageView(image, problem.spec.image)),
                       doctest::Contains("20x14x25"), Error);
  CHECK_THROWS_WITH_AS(convolver.run(ImageView(image, problem.spec.image), MutableImageView(image, problem.spec.image)),
                       doctest::Contains("overlaps"), Error);
  CHECK_THROWS_AS(ImageView(image, {1, 2, 3}), Error);
}

TEST_CASE("several convolvers on one device, from several threads") {
  const Problem problem;
  Convolver first = problem.convolver();
  Convolver second = problem.convolver();
  double errors[3] = {1, 1, 1};
  std::thread other([&] { errors[0] = problem.error(first); });
  std::thread third([&] {
    Convolver own = problem.convolver();
    errors[1] = problem.error(own);
  });
  errors[2] = problem.error(second);
  other.join();
  third.join();
  for (const double error : errors) CHECK(error <= tolerances::convolution(Precision::f32));
}
