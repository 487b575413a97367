// Every call that a run makes to its device, and every allocation, fails once: memory that is not there is planned
// around or reported, a lost device is reported, by the name of the step; nothing stays allocated, no file appears, and
// the same process then does the job right.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "engine/load_with_retry.hpp"
#include "io/files.hpp"
#include "selftest/oracle.hpp"
#include "support/caller_memory.hpp"
#include "support/device_under_test.hpp"
#include "support/faulty_device.hpp"
#include "support/plain_deconvolution.hpp"

using namespace convoy;
using namespace convoy::test;

namespace {

using Voxels = std::vector<float>;
using Job = std::function<Voxels(const Device&)>;

Voxels random_voxels(const Shape& shape, std::uint64_t seed) {
  const auto values = oracle::random_image(shape, seed);
  return {values.begin(), values.end()};
}

double difference(const Voxels& found, const Voxels& expected) {
  return oracle::relative_l2(found, std::vector<double>(expected.begin(), expected.end()));
}

/// What one way of running asks of a device, and what became of its failing.
class Trial {
 public:
  /// `tolerance`: by which a right answer of another plan may differ, as relative L2.
  Trial(Device healthy, Job job, double tolerance = 1e-5)
      : healthy_(std::move(healthy)), job_(std::move(job)), tolerance_(tolerance) {
    used_before_ = healthy_.used_bytes();
    expected_ = job_(healthy_);
    const Device counting = faulty(healthy_, {}, "counting");
    CHECK(is_right(job_(counting)));
    steps_ = steps_of(counting);
    CHECK(healthy_.used_bytes() == used_before_);
  }

  /// After each call in turn; on devices where plans are costly, after some of them.
  void break_everywhere() {
    REQUIRE(steps_.size() > 3);
    const std::size_t stride = std::max<std::size_t>(1, steps_.size() / num_breaks());
    if (stride > 1) fmt::print("faults: one call in {} of {}\n", stride, steps_.size());
    for (std::size_t n = 0; n < steps_.size(); n += stride) {
      break_at(n);
      if (n % (8 * stride) == 0) CHECK(is_right(job_(healthy_)));
    }
  }

  int num_survived = 0;
  int num_out_of_memory = 0;
  int num_lost = 0;

 private:
  /// The compiler inside a software Vulkan driver takes seconds for each plan, also for one that it has seen before.
  std::size_t num_breaks() const {
    if (plans_are_costly()) return 4;
    return device_under_test().info().type == DeviceType::software ? 12 : steps_.size();
  }

  void break_at(std::size_t n) {
    CAPTURE(n);
    CAPTURE(steps_[n]);
    Fault fault;
    fault.good_calls = static_cast<int>(n);
    const Device bad = faulty(healthy_, fault, "bad");
    try {
      const bool right = is_right(job_(bad));
      CHECK(right);
      ++num_survived;
    } catch (const Error& thrown) {
      CAPTURE(std::string(thrown.what()));
      const bool out_of_memory = thrown.code() == Errc::out_of_memory;
      CHECK((out_of_memory || thrown.code() == Errc::device_lost));
      CHECK(names_a_step(thrown, steps_of(bad), n));
      ++(out_of_memory ? num_out_of_memory : num_lost);
    }
    CHECK(healthy_.used_bytes() == used_before_);
  }

  /// The one that failed, or one that was asked of the lost device later.
  static bool names_a_step(const Error& thrown, const std::vector<std::string>& steps, std::size_t first) {
    return std::any_of(steps.begin() + static_cast<std::ptrdiff_t>(first), steps.end(), [&](const std::string& step) {
      return std::string(thrown.what()).find(step) != std::string::npos;
    });
  }

  bool is_right(const Voxels& found) const { return difference(found, expected_) <= tolerance_; }

  Device healthy_;
  Job job_;
  double tolerance_;
  std::uint64_t used_before_ = 0;
  Voxels expected_;
  std::vector<std::string> steps_;
};

struct Problem {
  ConvolutionSpec spec;
  ConvolverOptions options;
  Voxels image, kernel;

  explicit Problem(Index min_tiles = 1) {
    spec.image = {12, 20, 24};
    spec.kernel = {3, 4, 5};
    image = random_voxels(spec.image, 1);
    kernel = random_voxels(spec.kernel, 2);
    options.plan.min_tiles = min_tiles;
    options.sentinels = true;
  }

  Convolver convolver(const Device& device) const {
    return Convolver(spec, ImageView(kernel, spec.kernel), device, options);
  }
  Voxels empty_output() const { return Voxels(image.size(), std::numeric_limits<float>::quiet_NaN()); }

  /// Twice with one convolver, as users do.
  Voxels run(const Device& device) const {
    Convolver convolver = this->convolver(device);
    Voxels output;
    for (int time = 0; time < 2; ++time) {
      output = empty_output();
      convolver.run(ImageView(image, spec.image), MutableImageView(output, spec.image));
    }
    return output;
  }
};

Voxels restore(const Device& device, const PlanOptions& plan, Tiles tiles) {
  DeconvolutionSpec spec;
  spec.image = {8, 10, 30};
  spec.psf = {3, 3, 5};
  spec.iterations = 3;
  spec.tiles = tiles;
  const plain::Volume scene = plain::scene(spec.image, 3);
  const plain::Volume psf = plain::lopsided_psf(spec.psf);
  const Voxels image(scene.values.begin(), scene.values.end());
  const Voxels weights(psf.values.begin(), psf.values.end());
  DeconvolverOptions options;
  options.plan = plan;
  options.sentinels = true;
  Voxels output(image.size(), std::numeric_limits<float>::quiet_NaN());
  Deconvolver deconvolver(spec, ImageView(weights, spec.psf), device, options);
  deconvolver.run(ImageView(image, spec.image), MutableImageView(output, spec.image));
  return output;
}

}  // namespace

TEST_CASE("loading is tried six times, each for four fifths of the one before") {
  struct FakePlan {
    std::uint64_t footprint_bytes = 0;
  };
  const auto make = [](const std::optional<Replan>& smaller) {
    return FakePlan{smaller ? smaller->limit_bytes : std::uint64_t{100'000}};
  };
  const auto fits_in = [](std::uint64_t room, int& loads) {
    return [room, &loads](FakePlan&& plan) {
      ++loads;
      if (plan.footprint_bytes > room) throw OutOfMemory("no room", plan.footprint_bytes, room, "device memory");
      return plan.footprint_bytes;
    };
  };
  int loads = 0;
  CHECK(load_with_retry("test:0", false, make, fits_in(51'200, loads)) == 51'200);
  CHECK(loads == 4);
  try {
    loads = 0;
    load_with_retry("test:0", false, make, fits_in(1, loads));
    FAIL("nothing was thrown");
  } catch (const OutOfMemory& problem) {
    CHECK(loads == 6);
    CHECK(problem.requested_bytes() == 32'768);  // the smallest tried
    CHECK(std::string(problem.what()).find("6 attempts failed, the smallest for " + bytes_to_text(32'768)) !=
          std::string::npos);
  }
  loads = 0;
  CHECK_THROWS_WITH_AS(load_with_retry("test:0", true, make, fits_in(1, loads)), "no room", OutOfMemory);
  CHECK(loads == 1);

  // Where planning for less fails, both are reported.
  const auto make_once = [&](const std::optional<Replan>& smaller) {
    if (smaller) throw OutOfMemory("no smaller tiles", 1, smaller->limit_bytes, "memory limit");
    return make(smaller);
  };
  CHECK_THROWS_WITH_AS(load_with_retry("test:0", false, make_once, fits_in(1, loads)),
                       doctest::Contains("no smaller tiles; the device test:0 refused"), OutOfMemory);
}

TEST_CASE("whole images") {
  const Problem problem;
  Trial trial(device_under_test(), [&](const Device& device) { return problem.run(device); });
  trial.break_everywhere();
  CHECK(trial.num_lost > 0);
  CHECK(trial.num_survived > 0);  // in tiles, then
}

TEST_CASE("images in tiles, several in flight") {
  Problem problem(6);
  problem.options.plan.min_sets = 2;
  Trial trial(device_under_test(), [&](const Device& device) { return problem.run(device); });
  trial.break_everywhere();
  CHECK(trial.num_lost > 0);
}

TEST_CASE("images in tiles on two devices: whatever fails in one, the other does all") {
  if (plans_are_costly()) return;
  const Problem problem(6);
  Trial trial(device_under_test(), [&](const Device& device) {
    Convolver convolver(problem.spec, ImageView(problem.kernel, problem.spec.kernel), {device, device_under_test()},
                        problem.options);
    Voxels output = problem.empty_output();
    convolver.run(ImageView(problem.image, problem.spec.image), MutableImageView(output, problem.spec.image));
    return output;
  });
  trial.break_everywhere();
  CHECK(trial.num_survived > 3);
}

TEST_CASE("a transform that is split and staged through host memory") {
  if (plans_are_costly()) return;
  Problem problem;
  problem.spec.kernel = {11, 19, 23};
  problem.kernel = random_voxels(problem.spec.kernel, 2);
  ConvolutionSpec resolved = problem.spec;
  resolved.origin = Origin::at({5, 9, 11});
  const Plan whole = make_plan(resolved, device_under_test().limits(), {});
  problem.options.plan.memory_limit_bytes = whole.smallest_footprint_bytes - 1;
  CHECK(problem.convolver(device_under_test()).plan().reasons.front().find("the transform is split") !=
        std::string::npos);
  Trial trial(device_under_test(), [&](const Device& device) { return problem.run(device); });
  trial.break_everywhere();
  CHECK(trial.num_lost > 0);
}

TEST_CASE("the adjoint of reflection, which is folded on the host") {
  if (plans_are_costly()) return;
  Problem problem(4);
  problem.spec.boundary = Boundary::reflect;
  problem.spec.operation = Operation::correlate;
  Trial trial(device_under_test(), [&](const Device& device) { return problem.run(device); });
  trial.break_everywhere();
  CHECK(trial.num_lost > 0);
}

TEST_CASE("from file to file: no output appears unless it is right, and nothing else either") {
  const Problem problem(6);
  const Folder folder;
  write_image(folder / "image.tif", ImageView(problem.image, problem.spec.image));
  const std::string output_path = folder / "output.tif";
  Trial trial(device_under_test(), [&](const Device& device) {
    std::filesystem::remove(output_path);
    try {
      Problem streamed = problem;
      streamed.options.plan.streaming = Streaming{Element::f32, Element::f32, {1, 20, 24}, {1, 20, 24}};
      Convolver convolver = streamed.convolver(device);
      const auto reader = open_image(folder / "image.tif");
      const auto writer = create_image(output_path, problem.spec.image, Element::f32);
      convolver.run(*reader, writer->image());
      writer->commit();
    } catch (const Error&) {
      CHECK(folder.num_files() == 1);
      throw;
    }
    CHECK(folder.num_files() == 2);
    return voxels_of<float>(read_image(output_path));
  });
  trial.break_everywhere();
  CHECK(trial.num_lost > 0);
}

TEST_CASE("from file to file with --resume: what a lost device leaves is continued, and the end is right") {
  if (plans_are_costly()) return;
  const Problem problem(6);
  const Folder folder;
  const std::string output_path = folder / "output.tif";
  const ImageView image(problem.image, problem.spec.image);
  write_image(folder / "image.tif", image);
  CreateOptions resuming;
  resuming.resume = true;
  resuming.job = {{"image", checksum(image)}};
  const auto run = [&](const Device& device) {
    Convolver convolver = problem.convolver(device);
    const auto reader = open_image(folder / "image.tif");
    const auto writer = create_image(output_path, problem.spec.image, Element::f32, {}, resuming);
    const RunReport report = convolver.run(*reader, writer->image());
    writer->commit();
    return report;
  };
  const Voxels expected = problem.run(device_under_test());
  Index most_skipped = 0;
  for (int n = 0; n < 60; n += 3) {
    std::filesystem::remove(output_path);
    Fault fault;
    fault.good_calls = n;
    try {
      run(faulty(device_under_test(), fault, "bad"));
    } catch (const Error&) {
      CHECK_FALSE(std::filesystem::exists(output_path));
      most_skipped = std::max(most_skipped, run(device_under_test()).skipped_tiles);
    }
    CHECK(difference(voxels_of<float>(read_image(output_path)), expected) <= 1e-5);
    CHECK(folder.num_files() == 2);
  }
  CHECK(most_skipped > 0);
}

TEST_CASE("arrays that lie on the device") {
  const Problem problem;
  const std::unique_ptr<CallerMemory> memory = caller_memory();
  const std::span<const std::byte> bytes = std::as_bytes(std::span(problem.image));
  const std::uint64_t image = memory->allocate(bytes.size());
  const std::uint64_t output = memory->allocate(bytes.size());
  memory->write(image, bytes);
  Trial trial(memory->device(), [&](const Device& device) {
    ResidentOptions options;
    options.sentinels = true;
    ResidentConvolver convolver(problem.spec, ImageView(problem.kernel, problem.spec.kernel), device, options);
    convolver.run(DeviceArray(image, Element::f32, problem.spec.image),
                  DeviceArray(output, Element::f32, problem.spec.image));
    convolver.wait();
    Voxels found = problem.empty_output();
    memory->read(output, std::as_writable_bytes(std::span(found)));
    return found;
  });
  trial.break_everywhere();
  CHECK(trial.num_lost > 0);
}

TEST_CASE("deconvolution, whole and in exact tiles") {
  for (const Index min_tiles : {1, 3}) {
    if (plans_are_costly() && min_tiles > 1) continue;
    PlanOptions plan;
    plan.min_tiles = min_tiles;
    Trial trial(device_under_test(), [&](const Device& device) { return restore(device, plan, Tiles::exact); });
    trial.break_everywhere();
    CHECK(trial.num_lost > 0);
    CHECK(trial.num_survived + trial.num_out_of_memory > 0);
  }
}

TEST_CASE("deconvolution in fast tiles") {
  if (plans_are_costly()) return;
  PlanOptions plan;
  plan.min_tiles = 3;
  const double tolerance = 0.05;  // other tiles have other seams
  Trial trial(
      device_under_test(), [&](const Device& device) { return restore(device, plan, Tiles::fast); }, tolerance);
  trial.break_everywhere();
  CHECK(trial.num_lost > 0);
}
