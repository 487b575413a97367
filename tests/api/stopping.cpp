// Long calls that are asked to stop: they end soon, say so, and what ran can be run again.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <thread>

#include "convoy/convoy.hpp"

using namespace convoy;

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// Asks to stop while `call` runs; returns the error's code and the seconds from asking to the end.
template <class Call>
std::pair<Errc, double> stopped_while(std::stop_source& source, std::chrono::milliseconds after, const Call& call) {
  Clock::time_point asked;
  std::jthread other([&] {
    std::this_thread::sleep_for(after);
    asked = Clock::now();
    source.request_stop();
  });
  try {
    call();
  } catch (const Error& problem) {
    other.join();
    return {problem.code(), seconds_since(asked)};
  }
  other.join();
  FAIL("it was not stopped");
  return {Errc::io, 0};
}

ConvolutionSpec large() {
  ConvolutionSpec spec;
  spec.image = {160, 320, 320};
  spec.kernel = {31, 31, 31};
  return spec;
}

std::vector<float> voxels(const Shape& shape) {
  return std::vector<float>(static_cast<std::size_t>(num_voxels(shape)), 1);
}

// The machine may be busy: what is told apart is stopping within a tile from finishing it, which takes much longer.
constexpr double kSoon = 1.0;

}  // namespace

TEST_CASE("a run of one tile ends within the tile, and the next run is right") {
  const ConvolutionSpec spec = large();
  std::vector<float> kernel = voxels(spec.kernel);
  Convolver convolver(spec, ImageView(kernel, spec.kernel), open_device("cpu"));
  REQUIRE(convolver.plan().num_tiles() == 1);
  const std::vector<float> image = voxels(spec.image);
  std::vector<float> output = voxels(spec.image);
  std::stop_source source;
  RunOptions options;
  options.stop = source.get_token();
  const auto [code, seconds] = stopped_while(source, std::chrono::milliseconds(30), [&] {
    for (;;) convolver.run(ImageView(image, spec.image), MutableImageView(output, spec.image), options);
  });
  CHECK(code == Errc::cancelled);
  CHECK(seconds < kSoon);
  convolver.run(ImageView(image, spec.image), MutableImageView(output, spec.image));
  const auto at = [&](Index z, Index y, Index x) {
    return output[static_cast<std::size_t>((z * spec.image.y + y) * spec.image.x + x)];
  };
  CHECK(at(80, 160, 160) == doctest::Approx(31. * 31 * 31).epsilon(1e-5));
  CHECK(at(0, 0, 0) == doctest::Approx(16. * 16 * 16).epsilon(1e-5));
}

TEST_CASE("a constructor stops, too, and a token that was asked before stops at once") {
  const ConvolutionSpec spec = large();
  const std::vector<float> kernel = voxels(spec.kernel);
  std::stop_source source;
  source.request_stop();
  ConvolverOptions options;
  options.stop = source.get_token();
  try {
    const Convolver convolver(spec, ImageView(kernel, spec.kernel), open_device("cpu"), options);
    FAIL("it was not stopped");
  } catch (const Error& problem) {
    CHECK(problem.code() == Errc::cancelled);
  }
  CHECK(open_device("cpu").used_bytes() == 0);
}

TEST_CASE("an iteration is stopped, and the deconvolver can run again") {
  DeconvolutionSpec spec;
  spec.image = {48, 96, 96};
  spec.psf = {9, 9, 9};
  spec.iterations = 100000;
  const std::vector<float> psf = voxels(spec.psf);
  Deconvolver deconvolver(spec, ImageView(psf, spec.psf), open_device("cpu"));
  const std::vector<float> image = voxels(spec.image);
  std::vector<float> output = voxels(spec.image);
  for (int time = 0; time < 2; ++time) {
    std::stop_source source;
    DeconvolverRunOptions options;
    options.stop = source.get_token();
    const auto [code, seconds] = stopped_while(source, std::chrono::milliseconds(50), [&] {
      deconvolver.run(ImageView(image, spec.image), MutableImageView(output, spec.image), {}, options);
    });
    CHECK(code == Errc::cancelled);
    CHECK(seconds < kSoon);
  }
}

TEST_CASE("several devices stop together") {
  ConvolutionSpec spec = large();
  spec.image = {96, 128, 128};
  const std::vector<float> kernel = voxels(spec.kernel);
  ConvolverOptions of_all;
  of_all.plan.min_tiles = 4;
  Convolver convolver(spec, ImageView(kernel, spec.kernel), {open_device("cpu"), open_device("cpu")}, of_all);
  const std::vector<float> image = voxels(spec.image);
  std::vector<float> output = voxels(spec.image);
  std::stop_source source;
  RunOptions options;
  options.stop = source.get_token();
  const auto [code, seconds] = stopped_while(source, std::chrono::milliseconds(20), [&] {
    for (;;) convolver.run(ImageView(image, spec.image), MutableImageView(output, spec.image), options);
  });
  CHECK(code == Errc::cancelled);
  CHECK(seconds < kSoon);
}

TEST_CASE("progress is reported within a tile, and stops the run there") {
  ConvolutionSpec spec = large();
  const std::vector<float> kernel = voxels(spec.kernel);
  std::vector<float> image;
  std::vector<float> output;
  std::optional<Convolver> convolver;
  std::vector<double> reported;
  RunOptions options;
  options.progress = [&](const Progress& progress) {
    CHECK(progress.num_tiles == 1);
    CHECK(progress.tiles_done == (progress.fraction() < 1 ? 0 : 1));
    reported.push_back(progress.fraction());
    return true;
  };
  // Reports are a tenth of a second apart, so a faster machine needs a larger image.
  for (; reported.size() < 5 && spec.image.z <= 1280; spec.image.z *= 2) {
    image = voxels(spec.image);
    output = image;
    convolver.emplace(spec, ImageView(kernel, spec.kernel), open_device("cpu"));
    REQUIRE(convolver->plan().num_tiles() == 1);
    reported.clear();
    const auto begin = Clock::now();
    convolver->run(ImageView(image, spec.image), MutableImageView(output, spec.image), options);
    CHECK(static_cast<double>(reported.size()) <= 1 + seconds_since(begin) / 0.1);
  }
  spec.image = convolver->output_shape();
  CHECK(reported.size() >= 5);
  CHECK(reported.back() == 1);
  CHECK(std::is_sorted(reported.begin(), reported.end(), std::less_equal<>()));  // each above the one before

  options.progress = [](const Progress& progress) { return progress.fraction() < 0.1; };
  CHECK_THROWS_WITH_AS(convolver->run(ImageView(image, spec.image), MutableImageView(output, spec.image), options),
                       doctest::Contains("stopped within tile 1 of 1"), Error);
}

TEST_CASE("a run's progress stands in for the convolver's, for that run") {
  ConvolutionSpec spec;
  spec.image = {1, 64, 64};
  spec.kernel = {1, 5, 5};
  const std::vector<float> kernel = voxels(spec.kernel);
  Index of_convolver = 0;
  Index of_run = 0;
  ConvolverOptions options;
  options.plan.min_tiles = 4;
  options.progress = [&](const Progress&) { return ++of_convolver > 0; };
  Convolver convolver(spec, ImageView(kernel, spec.kernel), open_device("cpu"), options);
  const std::vector<float> image = voxels(spec.image);
  std::vector<float> output = voxels(spec.image);
  RunOptions run;
  run.progress = [&](const Progress&) { return ++of_run > 0; };
  convolver.run(ImageView(image, spec.image), MutableImageView(output, spec.image), run);
  CHECK(of_convolver == 0);
  CHECK(of_run == convolver.plan().num_tiles());
  convolver.run(ImageView(image, spec.image), MutableImageView(output, spec.image));
  CHECK(of_convolver == convolver.plan().num_tiles());
}
