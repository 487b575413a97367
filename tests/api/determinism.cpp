// PlanOptions::deterministic: what could change the bits from one run to the next is settled or refused.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "base/worker_pool.hpp"
#include "engine/voxel_sums.hpp"
#include "selftest/oracle.hpp"
#include "support/faulty_device.hpp"

namespace fs = std::filesystem;
using namespace convoy;
using namespace convoy::test;

namespace {

Device cpu() { return open_device("cpu"); }

ConvolverOptions deterministic() {
  ConvolverOptions options;
  options.plan.deterministic = true;
  return options;
}

struct Problem {
  ConvolutionSpec spec;
  std::vector<float> image, kernel;

  explicit Problem(const Shape& image_shape = {24, 22, 25}) {
    spec.image = image_shape;
    spec.kernel = {3, 4, 5};
    const auto voxels = oracle::random_image(spec.image, 41), weights = oracle::random_image(spec.kernel, 42);
    image.assign(voxels.begin(), voxels.end());
    kernel.assign(weights.begin(), weights.end());
  }

  std::vector<float> output(const std::vector<Device>& devices, const ConvolverOptions& options) const {
    Convolver convolver(spec, ImageView(kernel, spec.kernel), devices, options);
    std::vector<float> voxels(image.size());
    convolver.run(ImageView(image, spec.image), MutableImageView(voxels, spec.image));
    return voxels;
  }
};

}  // namespace

TEST_CASE("what was measured in this process does not change what is planned without measuring") {
  const fs::path folder = fs::temp_directory_path() / ("convoy-determinism-" + std::to_string(std::rand()));
  setenv("CONVOY_CACHE_DIR", folder.c_str(), 1);
  const Problem problem({40, 96, 150});
  ConvolverOptions measuring;
  measuring.plan.tuning.measure_transforms = true;
  const std::vector<float> before = problem.output({cpu()}, {});
  problem.output({cpu()}, measuring);
  CHECK(problem.output({cpu()}, {}) == before);
  CHECK(problem.output({cpu()}, deterministic()) == before);
  unsetenv("CONVOY_CACHE_DIR");
  fs::remove_all(folder);
}

TEST_CASE("measuring is refused") {
  const Problem problem;
  ConvolverOptions options = deterministic();
  options.plan.tune = Tune::measure;
  CHECK_THROWS_WITH_AS(problem.output({cpu()}, options), doctest::Contains("rests on no measured time"), Error);
  options = deterministic();
  options.plan.tuning.measure_transforms = true;
  CHECK_THROWS_WITH_AS(problem.output({cpu()}, options), doctest::Contains("measure_transforms"), Error);
}

TEST_CASE("a device with less memory than it has is not planned for again") {
  const Problem problem;
  Fault full;
  full.out_of_memory_at_load = true;
  const Device device = faulty(cpu(), full, "cpu:1");
  CHECK_THROWS_WITH_AS(problem.output({device}, deterministic()), doctest::Contains("a deterministic plan is not made"),
                       OutOfMemory);
  CHECK(steps_of(device) == std::vector<std::string>{"load"});

  DeconvolutionSpec spec;
  spec.image = problem.spec.image;
  spec.psf = {3, 5, 5};
  const std::vector<float> psf(75, 1.0F);
  DeconvolverOptions options;
  options.plan.deterministic = true;
  const Device other = faulty(cpu(), full, "cpu:2");
  CHECK_THROWS_AS(Deconvolver(spec, ImageView(psf, spec.psf), other, options), OutOfMemory);
  CHECK(steps_of(other) == std::vector<std::string>{"load"});
}

TEST_CASE(
    "devices of one kind share the tiles with the same bits, whichever is free; of several kinds they are refused") {
  const Problem problem;
  Fault slow;
  slow.slowness = std::chrono::milliseconds(5);
  const auto devices = [&](bool first_is_slow) {
    return std::vector{faulty(cpu(), first_is_slow ? slow : Fault(), "cpu:1"),
                       faulty(cpu(), first_is_slow ? Fault() : slow, "cpu:2")};
  };
  ConvolverOptions options = deterministic();
  options.plan.min_tiles = 16;
  CHECK(problem.output(devices(true), options) == problem.output(devices(false), options));

  const std::vector<Device> mixed{cpu(), faulty(cpu(), {}, "vulkan:7")};
  CHECK_THROWS_WITH_AS(problem.output(mixed, options), doctest::Contains("devices of one kind"), Error);
  options.plan.deterministic = false;
  CHECK_NOTHROW(problem.output(mixed, options));
}

TEST_CASE("sums over many voxels, which normalise kernels, are the same whichever thread is first") {
  const Shape shape{1, 3000, 1500};
  const std::vector<double> wide = oracle::random_image(shape, 43);
  const std::vector<float> voxels(wide.begin(), wide.end());
  WorkerPool pool(4);
  const UseWorkers use(pool);
  const double sum = scan(ImageView(voxels, shape)).sum;
  for (int i = 0; i < 60; ++i) CHECK(scan(ImageView(voxels, shape)).sum == sum);
}
