// Deconvolution on several devices: the same numbers, each does its share, and devices that fail cost time only.
#include <doctest/doctest.h>

#include <algorithm>

#include "restoring_series.hpp"
#include "support/faulty_device.hpp"

using namespace restoring;
using convoy::test::Fault;
using convoy::test::faulty;

namespace {

Device cpu() { return open_device("cpu"); }

/// Slow enough that the others have their share.
Fault slow() {
  Fault fault;
  fault.slowness = std::chrono::milliseconds(5);
  return fault;
}

std::vector<Device> two() { return {faulty(cpu(), slow(), "one"), faulty(cpu(), slow(), "two")}; }

Deconvolver make_deconvolver(const DeconvolutionSpec& spec, const Problem& problem, const std::vector<Device>& devices,
                             const DeconvolverOptions& options) {
  const auto psf = to_f32(problem.kernel());
  return Deconvolver(spec, ImageView(psf, spec.psf), devices, options);
}

Index pieces_done(const DeconvolutionReport& report) {
  Index done = 0;
  for (const DeviceShare& share : report.devices) done += share.num_tiles;
  return done;
}

}  // namespace

TEST_CASE("two devices share images and fast tiles, each its part, and the result is that of one") {
  for (const Index tiles : {1, 8}) {
    CAPTURE(tiles);
    Series series(6);
    DeconvolutionSpec spec = series.problem.spec(Edges::noncirculant, 2);
    DeconvolverOptions options = in_fast_tiles(spec, tiles);
    const auto alone = make_deconvolver(spec, series.problem, {cpu()}, options).run(series.readers(), series.writers());
    std::vector<std::vector<float>> expected;
    for (auto& image : series.out) expected.push_back(image.voxels());
    std::thread::id caller = std::this_thread::get_id();
    Index reported = 0;
    options.progress = [&](const DeconvolutionProgress& progress) {
      CHECK(std::this_thread::get_id() == caller);
      CHECK(progress.iterations_done >= reported);
      reported = progress.iterations_done;
      return true;
    };
    Deconvolver deconvolver = make_deconvolver(spec, series.problem, two(), options);
    Series again(6);
    const DeconvolutionReport report = deconvolver.run(again.readers(), again.writers());
    const Index num_tiles = deconvolver.plan().fast ? deconvolver.plan().fast->num_tiles() : 1;
    CHECK(num_tiles >= tiles);
    CHECK(reported == 6 * 2 * num_tiles);
    REQUIRE(report.devices.size() == 2);
    CHECK(report.devices[0].id == "one");
    CHECK(pieces_done(report) == 6 * num_tiles);
    for (const DeviceShare& share : report.devices) CHECK(share.num_tiles >= 2 * num_tiles);  // of 6: both work
    for (std::size_t i = 0; i < 6; ++i) CHECK(again.out[i].voxels() == expected[i]);
    for (auto& image : again.out) CHECK(image.all_written_once());
    CHECK(report.seam.voxels == alone.seam.voxels);
    CHECK(report.seam.relative_l2 == doctest::Approx(alone.seam.relative_l2));
    CHECK(report.output_sum == doctest::Approx(alone.output_sum));
  }
}

TEST_CASE("fast tiles of one image are cut so that each device has some; exact tiles are shared within convolutions") {
  const Problem problem{{10, 20, 30}, {3, 5, 7}};
  const auto data = to_f32(problem.data());
  std::vector<float> whole(data.size());
  std::vector<float> together(data.size());
  DeconvolutionSpec spec = problem.spec(Edges::noncirculant, 2);
  make_deconvolver(spec, problem, {cpu()}, {}).run(ImageView(data, spec.image), MutableImageView(whole, spec.image));
  DeconvolverOptions options;
  options.plan.min_tiles = 4;
  Deconvolver exact = make_deconvolver(spec, problem, two(), options);
  const auto report = exact.run(ImageView(data, spec.image), MutableImageView(together, spec.image));
  CHECK(exact.plan().is_tiled());
  CHECK(relative_l2(together, whole) <= 1e-5);
  REQUIRE(report.devices.size() == 2);
  for (const DeviceShare& share : report.devices) CHECK(share.num_tiles > 0);
  spec.tiles = Tiles::fast;
  Deconvolver fast = make_deconvolver(spec, problem, two(), {});
  REQUIRE(fast.plan().fast);
  CHECK(fast.plan().fast->num_tiles() >= 2);
}

TEST_CASE("a device that fails is dropped, and the others do its work") {
  for (const Index tiles : {1, 8}) {
    for (const int good : {0, 1}) {
      CAPTURE(tiles);
      CAPTURE(good);
      Series series(4);
      DeconvolutionSpec spec = series.problem.spec(Edges::noncirculant, 2);
      const DeconvolverOptions options = in_fast_tiles(spec, tiles);
      make_deconvolver(spec, series.problem, {cpu()}, options).run(series.readers(), series.writers());
      Fault fault = slow();
      fault.good_submits = good;
      const Device bad = faulty(cpu(), fault, "bad");
      Deconvolver deconvolver = make_deconvolver(spec, series.problem, {faulty(cpu(), slow(), "good"), bad}, options);
      Series again(4);
      const DeconvolutionReport report = deconvolver.run(again.readers(), again.writers());
      for (std::size_t i = 0; i < 4; ++i) CHECK(again.out[i].voxels() == series.out[i].voxels());
      REQUIRE(report.devices.size() == 2);
      CHECK(report.devices[0].failure.empty());
      CHECK(report.devices[1].failure.find("fell off the bus") != std::string::npos);
      CHECK(bad.used_bytes() == 0);
      Series third(4);  // it stays dropped
      const DeconvolutionReport next = deconvolver.run(third.readers(), third.writers());
      CHECK(next.devices[1].num_tiles == 0);
      CHECK(third.out[3].voxels() == series.out[3].voxels());
    }
  }
}

TEST_CASE("when all fail, or the caller wants to stop, the run ends with the cause") {
  Series series(4);
  DeconvolutionSpec spec = series.problem.spec(Edges::noncirculant, 2);
  const DeconvolverOptions options = in_fast_tiles(spec, 4);
  Fault fault = slow();
  fault.good_submits = 6;
  const std::vector<Device> bad{faulty(cpu(), fault, "one"), faulty(cpu(), fault, "two")};
  Deconvolver failing = make_deconvolver(spec, series.problem, bad, options);
  CHECK_THROWS_WITH_AS(failing.run(series.readers(), series.writers()), doctest::Contains("no device is left; one:"),
                       Error);
  for (const Device& device : bad) CHECK(device.used_bytes() == 0);
  Deconvolver deconvolver = make_deconvolver(spec, series.problem, two(), options);
  DeconvolverRunOptions stopping;
  stopping.progress = [](const DeconvolutionProgress& progress) { return progress.iterations_done < 5; };
  Series again(4);
  CHECK_THROWS_WITH_AS(deconvolver.run(again.readers(), again.writers(), {}, stopping),
                       doctest::Contains("stopped after iteration"), Error);
  Series third(4);
  deconvolver.run(third.readers(), third.writers());  // and can be used again
  for (auto& image : third.out) CHECK(image.all_written_once());
  CHECK_THROWS_WITH_AS(make_deconvolver(spec, series.problem, {}, options), doctest::Contains("at least one device"),
                       Error);
}
