// Tiles on the host's threads, a thread each (engine/tile_lanes.hpp): what the caller sees of it.
#include <doctest/doctest.h>

#include <cmath>
#include <thread>
#include <vector>

#include "convoy/convoy.hpp"
#include "selftest/oracle.hpp"
#include "selftest/tolerances.hpp"

using namespace convoy;

namespace {

struct Problem {
  ConvolutionSpec spec;
  std::vector<double> image, kernel;
  std::vector<float> image_f32, kernel_f32, output;
  ConvolverOptions options;

  explicit Problem(Index batch = 1) {
    spec.image = {1, 90, 400};
    spec.kernel = {1, 5, 9};
    spec.batch = batch;
    Shape all = spec.image;
    all.z = batch;
    image = oracle::random_image(all, 11);
    kernel = oracle::random_image(spec.kernel, 12);
    image_f32.assign(image.begin(), image.end());
    kernel_f32.assign(kernel.begin(), kernel.end());
    output.assign(image.size(), std::nanf(""));
    options.plan.min_tiles = 12;
    options.plan.min_sets = options.plan.max_sets = 3;
  }

  Convolver convolver() const { return {spec, ImageView(kernel_f32, spec.kernel), open_device("cpu"), options}; }
  ImageView images() const { return ImageView(image_f32, spec.image, spec.batch); }
  MutableImageView outputs() { return MutableImageView(output, spec.image, spec.batch); }
  /// Largest of the images.
  double error() const {
    double largest = 0;
    const auto voxels = static_cast<std::size_t>(num_voxels(spec.image));
    for (Index i = 0; i < spec.batch; ++i) {
      const auto first = static_cast<std::ptrdiff_t>(voxels) * i;
      const std::vector<double> one(image.begin() + first, image.begin() + first + static_cast<std::ptrdiff_t>(voxels));
      const std::vector<double> got(output.begin() + first,
                                    output.begin() + first + static_cast<std::ptrdiff_t>(voxels));
      largest = std::max(largest, oracle::relative_l2(got, oracle::direct(spec, one, kernel)));
    }
    return largest;
  }
};

}  // namespace

TEST_CASE("each tile is reported once, on the caller's thread") {
  for (const Method method : {Method::fft, Method::direct}) {
    Problem problem(3);
    problem.options.plan.method = method;
    std::vector<Index> done;
    const auto caller = std::this_thread::get_id();
    problem.options.progress = [&](const Progress& progress) {
      CHECK(std::this_thread::get_id() == caller);
      done.push_back(progress.tiles_done);
      return true;
    };
    Convolver convolver = problem.convolver();
    const RunReport report = convolver.run(problem.images(), problem.outputs());
    CHECK(problem.error() <= tolerances::convolution(Precision::f32));
    REQUIRE(static_cast<Index>(done.size()) == 3 * convolver.plan().num_tiles());
    for (std::size_t i = 0; i < done.size(); ++i) CHECK(done[i] == static_cast<Index>(i) + 1);
    CHECK(report.devices.front().num_tiles == static_cast<Index>(done.size()));
  }
}

TEST_CASE("a run that is stopped or meets a NaN throws on the caller's thread, and the next one is right") {
  Problem problem;
  bool go_on = false;
  problem.options.progress = [&](const Progress&) { return go_on; };
  Convolver convolver = problem.convolver();
  CHECK_THROWS_WITH_AS(convolver.run(problem.images(), problem.outputs()), doctest::Contains("stopped after tile"),
                       Error);
  go_on = true;
  std::vector<float> with_nan = problem.image_f32;
  with_nan[12345] = std::nanf("");
  CHECK_THROWS_WITH_AS(convolver.run(ImageView(with_nan, problem.spec.image), problem.outputs()),
                       doctest::Contains("z,y,x = 0,30,345"), Error);
  convolver.run(problem.images(), problem.outputs());
  CHECK(problem.error() <= tolerances::convolution(Precision::f32));
}
