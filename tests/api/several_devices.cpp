// Runs on several devices: the same numbers, every tile done once, and devices that fail cost time only.
#include <doctest/doctest.h>
#include <execinfo.h>

#include <algorithm>
#include <array>
#include <limits>
#include <thread>

#include "selftest/oracle.hpp"
#include "selftest/tolerances.hpp"
#include "support/boxed_image.hpp"
#include "support/device_under_test.hpp"
#include "support/faulty_device.hpp"

using namespace convoy;
using namespace convoy::test;

namespace {

Device cpu() { return open_device("cpu"); }

struct Problem {
  ConvolutionSpec spec;
  std::vector<double> image, kernel, truth;
  std::vector<float> voxels;
  ConvolverOptions options;

  explicit Problem(Boundary boundary = Boundary::zero, Operation operation = Operation::convolve) {
    spec.image = {40, 22, 25};
    spec.kernel = {3, 4, 5};
    spec.boundary = boundary;
    spec.operation = operation;
    image = oracle::random_image(spec.image, 31);
    kernel = oracle::random_image(spec.kernel, 32);
    truth = oracle::direct(spec, image, kernel);
    voxels.assign(image.begin(), image.end());
    options.sentinels = true;
    options.sums = true;
    options.plan.min_tiles = 16;
  }

  Convolver convolver(std::vector<Device> devices) const {
    return Convolver(spec, ImageView(kernel, spec.kernel), std::move(devices), options);
  }

  RunReport check(Convolver& convolver) const {
    std::vector<float> output(truth.size(), std::numeric_limits<float>::quiet_NaN());
    const RunReport report = convolver.run(ImageView(voxels, spec.image), MutableImageView(output, spec.image));
    CHECK(oracle::relative_l2(output, truth) <= tolerances::convolution(Precision::f32));
    double sum = 0;
    for (const float voxel : voxels) sum += static_cast<double>(voxel);
    CHECK(report.input_sum == doctest::Approx(sum));
    Index done = 0;
    for (const DeviceShare& share : report.devices) done += share.num_tiles;
    CHECK(done == report.num_tiles);
    CHECK(report.num_tiles >= 16);
    return report;
  }

  /// On a busy machine one device may be done with everything before another's thread begins: then once more.
  template <class Reached>
  RunReport check_until(const Reached& reached, Convolver& convolver) const {
    constexpr int kMostRuns = 20;
    for (int run = 1;; ++run) {
      RunReport report = check(convolver);
      if (reached(report) || run == kMostRuns) return report;
    }
  }
};

bool all_had_tiles(const RunReport& report) {
  return std::all_of(report.devices.begin(), report.devices.end(),
                     [](const DeviceShare& share) { return share.num_tiles > 0; });
}

bool second_failed(const RunReport& report) { return !report.devices[1].failure.empty(); }

/// Slow enough that the others have their share.
Fault slow() {
  Fault fault;
  fault.slowness = std::chrono::milliseconds(5);
  return fault;
}

}  // namespace

TEST_CASE("two devices share the tiles, for every boundary and for the adjoint") {
  for (const Boundary boundary : {Boundary::zero, Boundary::reflect, Boundary::wrap}) {
    for (const Operation operation : {Operation::convolve, Operation::correlate}) {
      const Problem problem(boundary, operation);
      Convolver convolver = problem.convolver({faulty(cpu(), slow(), "one"), faulty(cpu(), slow(), "two")});
      const RunReport report = problem.check_until(all_had_tiles, convolver);
      REQUIRE(report.devices.size() == 2);
      for (const DeviceShare& share : report.devices) {
        CHECK(share.num_tiles > 0);
        CHECK(share.failure.empty());
      }
      CHECK(report.devices[0].id == "one");
    }
  }
}

TEST_CASE("a device that fails mid-run is dropped, and its tiles are done by the others") {
  const Problem problem;
  for (const int good : {0, 1, 3}) {
    for (int Fault::*where : {&Fault::good_submits, &Fault::good_waits, &Fault::good_uploads}) {
      for (const Errc code : {Errc::device_lost, Errc::out_of_memory}) {
        Fault fault = slow();
        fault.*where = good;
        fault.code = code;
        CAPTURE(good);
        CAPTURE(fault.good_waits);
        CAPTURE(fault.good_uploads);
        const Device bad = faulty(cpu(), fault, "bad");
        Convolver convolver = problem.convolver({faulty(cpu(), slow(), "good"), bad});
        const RunReport report = problem.check_until(second_failed, convolver);
        CHECK(report.devices[0].failure.empty());
        CHECK(report.devices[1].failure.find("fell off the bus") != std::string::npos);
        CHECK(bad.used_bytes() == 0);
        // It stays dropped, and the next run is right as well.
        const RunReport next = problem.check(convolver);
        CHECK(next.devices[0].num_tiles == next.num_tiles);
        CHECK_FALSE(next.devices[1].failure.empty());
      }
    }
  }
}

TEST_CASE("a folded adjoint counts every tile once, whichever device fails") {
  const Problem problem(Boundary::reflect, Operation::correlate);
  Fault fault = slow();
  fault.good_waits = 2;
  Convolver convolver = problem.convolver({faulty(cpu(), slow(), "good"), faulty(cpu(), fault, "bad")});
  CHECK(second_failed(problem.check_until(second_failed, convolver)));
}

TEST_CASE("when all devices fail the reasons of all are reported, and nothing stays allocated") {
  const Problem problem;
  Fault fault;
  fault.good_submits = 2;
  const std::vector<Device> devices{faulty(cpu(), fault, "one"), faulty(cpu(), fault, "two")};
  Convolver convolver = problem.convolver(devices);
  std::vector<float> output(problem.truth.size());
  const auto run = [&] {
    convolver.run(ImageView(problem.voxels, problem.spec.image), MutableImageView(output, problem.spec.image));
  };
  for (int time = 0; time < 2; ++time) {
    CHECK_THROWS_WITH_AS(run(), doctest::Contains("no device is left; one: the device fell off the bus"), Error);
    CHECK_THROWS_WITH_AS(run(), doctest::Contains("; two: the device fell off the bus"), Error);
  }
  for (const Device& device : devices) CHECK(device.used_bytes() == 0);
}

TEST_CASE("a device that has no room is left out from the start") {
  const Problem problem;
  Fault full;
  full.out_of_memory_at_load = true;
  Convolver convolver = problem.convolver({faulty(cpu(), full, "full"), cpu()});
  const RunReport report = problem.check(convolver);
  REQUIRE(report.devices.size() == 2);
  CHECK(report.devices[0].failure.find("the device full refused") != std::string::npos);
  CHECK(report.devices[0].num_tiles == 0);
  CHECK(report.devices[1].num_tiles == report.num_tiles);
  CHECK_THROWS_AS(problem.convolver({faulty(cpu(), full, "one"), faulty(cpu(), full, "two")}), OutOfMemory);
  CHECK_THROWS_AS(problem.convolver({}), Error);
}

TEST_CASE("box by box on two devices, one of which fails, every voxel is written") {
  Problem problem(Boundary::reflect);
  problem.options.plan.streaming = Streaming{Element::f32, Element::f32, {1, 22, 25}, {1, 22, 25}};
  Fault fault = slow();
  fault.good_waits = 5;
  Convolver convolver = problem.convolver({faulty(cpu(), slow(), "good"), faulty(cpu(), fault, "bad")});
  const BoxedImage<float> reader(problem.voxels, problem.spec.image, {1, 22, 25});
  for (bool failed = false; !failed;) {
    BoxedOutput<float> writer(problem.spec.image, {1, 22, 25});
    failed = second_failed(convolver.run(reader, writer));
    CHECK(writer.all_written());
    CHECK(oracle::relative_l2(writer.voxels(), problem.truth) <= tolerances::convolution(Precision::f32));
  }
}

TEST_CASE("errors that no device is to blame for end the run on all of them") {
  Problem problem;
  problem.options.plan.streaming = Streaming{Element::f32, Element::f32, {1, 22, 25}, {1, 22, 25}};
  Convolver convolver = problem.convolver({faulty(cpu(), slow(), "one"), faulty(cpu(), slow(), "two")});
  BoxedImage<float> reader(problem.voxels, problem.spec.image, {1, 22, 25});
  BoxedOutput<float> writer(problem.spec.image, {1, 22, 25});
  std::atomic<int> reads{0};
  reader.on_read = [&](const Box&) {
    if (reads++ == 6) throw Error(Errc::io, "the disk is gone");
  };
  CHECK_THROWS_WITH_AS(convolver.run(reader, writer), "the disk is gone", Error);
  reader.on_read = nullptr;
  convolver.run(reader, writer);
  CHECK(oracle::relative_l2(writer.voxels(), problem.truth) <= tolerances::convolution(Precision::f32));
}

TEST_CASE("progress is reported on the calling thread, and stops all devices") {
  Problem problem;
  const auto caller = std::this_thread::get_id();
  bool stop = true;
  Index last = 0;
  problem.options.progress = [&](const Progress& progress) {
    CHECK(std::this_thread::get_id() == caller);
    CHECK(progress.tiles_done > last);
    last = progress.tiles_done;
    return !stop;
  };
  Convolver convolver = problem.convolver({faulty(cpu(), slow(), "one"), faulty(cpu(), slow(), "two")});
  std::vector<float> output(problem.truth.size());
  CHECK_THROWS_WITH_AS(
      convolver.run(ImageView(problem.voxels, problem.spec.image), MutableImageView(output, problem.spec.image)),
      doctest::Contains("stopped after tile"), Error);
  stop = false;
  last = 0;
  const RunReport report = problem.check(convolver);
  CHECK(last == report.num_tiles);
}

TEST_CASE("a slow device does not keep a fast one waiting at the end") {
  const Problem problem;
  Fault snail;
  snail.slowness = std::chrono::milliseconds(1000);
  Convolver convolver = problem.convolver({faulty(cpu(), snail, "slow"), cpu()});
  problem.check(convolver);
  const RunReport report = problem.check(convolver);
  CHECK(report.devices[0].num_tiles <= 1);
}

TEST_CASE("unlike devices work together") {
  const BackendInfo* vulkan = nullptr;
  const std::vector<BackendInfo> backends = list_backends();
  for (const BackendInfo& backend : backends) {
    if (backend.name == "vulkan" && !backend.devices.empty()) vulkan = &backend;
  }
  if (vulkan == nullptr) {
    MESSAGE("no Vulkan device here");
    return;
  }
  const Problem problem;
  Convolver convolver = problem.convolver({faulty(cpu(), slow(), "slow cpu"), open_device(vulkan->devices[0].id)});
  const RunReport report = problem.check_until(all_had_tiles, convolver);
  REQUIRE(report.devices.size() == 2);
  for (const DeviceShare& share : report.devices) CHECK(share.num_tiles > 0);
}

TEST_CASE("between Convolver::run and Session::submit lie at most six calls") {
  // How deep the stack is in on_submit, called here or by the session.
  int depth = 0;
  Fault fault;
  fault.on_submit = [&depth] {
    std::array<void*, 256> frames{};
    depth = backtrace(frames.data(), static_cast<int>(frames.size()));
  };
  fault.on_submit();
  const int here = depth;
  Problem problem;
  problem.options.plan.max_sets = 1;  // else threads of the host take whole tiles, each from where it begins
  Convolver convolver = problem.convolver({faulty(cpu(), fault, "watched")});
  std::vector<float> output(problem.truth.size());
  convolver.run(ImageView(problem.voxels, problem.spec.image), MutableImageView(output, problem.spec.image));
  const int between = depth - here - 2;  // run and submit themselves
  MESSAGE(between << " calls");
  CHECK(between > 0);
  CHECK(between <= 6);
}
