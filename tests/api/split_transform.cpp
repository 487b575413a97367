// Kernels nearly as large as the image on devices that hold neither: the transform is split, and nothing changes but
// time.
#include <doctest/doctest.h>

#include <limits>

#include "convoy/convoy.hpp"
#include "exec/split_convolution.hpp"
#include "plan/origin.hpp"
#include "selftest/oracle.hpp"
#include "support/boxed_image.hpp"
#include "support/device_under_test.hpp"

using namespace convoy;
using namespace convoy::test;

namespace {

struct Problem {
  ConvolutionSpec spec;
  std::vector<double> image, kernel, truth;
  ConvolverOptions options;

  Problem(const Shape& image_shape, const Shape& kernel_shape) {
    spec.image = image_shape;
    spec.kernel = kernel_shape;
  }

  void prepare() {
    image = oracle::random_image(spec.image, 41);
    kernel = oracle::random_image(spec.kernel, 42);
    truth = oracle::direct(spec, image, kernel);
  }

  /// Just not enough for the smallest tiles.
  void make_memory_short() {
    ConvolutionSpec resolved = spec;
    resolved.origin = Origin::at(resolve_origin(spec, nullptr));
    const Plan plan = make_plan(resolved, device_under_test().limits(), {});
    options.plan.memory_limit_bytes = plan.smallest_footprint_bytes - 1;
  }

  Convolver convolver() const { return {spec, ImageView(kernel, spec.kernel), device_under_test(), options}; }
};

double check(const Problem& problem) {
  Convolver convolver = problem.convolver();
  std::vector<double> output(problem.truth.size(), std::numeric_limits<double>::quiet_NaN());
  const RunReport report =
      convolver.run(ImageView(problem.image, problem.spec.image), MutableImageView(output, convolver.output_shape()));
  CHECK(convolver.plan().reasons.front().find("the transform is split") != std::string::npos);
  ConvolutionSpec resolved = problem.spec;
  resolved.origin = Origin::at(resolve_origin(problem.spec, nullptr));
  CHECK(make_plan(resolved, device_under_test(), problem.options.plan).reasons == convolver.plan().reasons);
  CHECK(convolver.plan().footprint_bytes <= problem.options.plan.memory_limit_bytes);
  CHECK(report.num_tiles >= 4);
  CHECK(device_under_test().used_bytes() == 0);
  return oracle::relative_l2(output, problem.truth);
}

}  // namespace

TEST_CASE("every mode, boundary and operation equals the direct sum") {
  for (const Mode mode : {Mode::same, Mode::full, Mode::valid, Mode::circular}) {
    for (const Boundary boundary : {Boundary::zero, Boundary::constant, Boundary::reflect, Boundary::wrap}) {
      for (const Operation operation : {Operation::convolve, Operation::correlate}) {
        Problem problem({20, 11, 12}, {18, 10, 11});
        problem.spec.mode = mode;
        if (mode != Mode::same && boundary != Boundary::zero) continue;
        if (operation == Operation::correlate && boundary == Boundary::reflect) continue;  // folded: tiles alone do it
        problem.spec.boundary = boundary;
        problem.spec.constant = boundary == Boundary::constant ? 3 : 0;
        problem.spec.operation = operation;
        problem.spec.precision = Precision::f64;
        problem.prepare();
        problem.make_memory_short();
        CAPTURE(name(mode));
        CAPTURE(name(boundary));
        CAPTURE(name(operation));
        CHECK(check(problem) <= 1e-13);
      }
    }
  }
}

TEST_CASE("a region of the output, in single precision") {
  Problem problem({24, 9, 10}, {24, 9, 10});
  problem.prepare();
  const Box region{{3, 2, 1}, {17, 6, 8}};
  std::vector<double> truth;
  for_each_row(problem.spec.image, region, [&](std::size_t offset) {
    truth.insert(truth.end(), problem.truth.begin() + static_cast<std::ptrdiff_t>(offset),
                 problem.truth.begin() + static_cast<std::ptrdiff_t>(offset) + region.size.x);
  });
  problem.truth = truth;
  problem.spec.region = region;
  problem.make_memory_short();
  CHECK(check(problem) <= 5e-6);
}

TEST_CASE("box by box, with progress that can stop it") {
  Problem problem({20, 11, 12}, {20, 11, 12});
  problem.prepare();
  problem.make_memory_short();
  problem.options.plan.streaming = Streaming{Element::f64, Element::f64, {1, 11, 12}, {1, 11, 12}};
  bool stop = true;
  Index last = 0;
  problem.options.progress = [&](const Progress& progress) {
    last = progress.tiles_done;
    return !stop;
  };
  Convolver convolver = problem.convolver();
  const BoxedImage<double> reader(problem.image, problem.spec.image, {1, 11, 12});
  BoxedOutput<double> writer(problem.spec.image, {1, 11, 12});
  CHECK_THROWS_WITH_AS(convolver.run(reader, writer), doctest::Contains("stopped after pass 1"), Error);
  stop = false;
  const RunReport report = convolver.run(reader, writer);
  CHECK(last == report.num_tiles);
  CHECK(writer.all_written_once());
  CHECK(oracle::relative_l2(writer.voxels(), problem.truth) <= 5e-6);
}

TEST_CASE("NaN is told, or taken as 0, and too little memory is still too little") {
  Problem problem({20, 11, 12}, {18, 10, 11});
  problem.prepare();
  problem.make_memory_short();
  problem.image[7] = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(check(problem), doctest::Contains("the first at z,y,x = 0,0,7"), Error);
  problem.spec.non_finite = NonFinite::zero;
  std::vector<double> zeroed = problem.image;
  zeroed[7] = 0;
  problem.truth = oracle::direct(problem.spec, zeroed, problem.kernel);
  CHECK(check(problem) <= 5e-6);
  problem.options.plan.memory_limit_bytes = 1000;
  CHECK_THROWS_AS(problem.convolver(), OutOfMemory);
}

TEST_CASE("predicted bytes over the bus decide") {
  Limits gpu;
  gpu.total_bytes = gpu.free_bytes = std::uint64_t{100} << 30;
  gpu.shared_memory_bytes = 227 << 10;
  gpu.coalesced_bytes = 32;
  gpu.transfer_bytes_per_second = 5e10;
  gpu.transfers_overlap = true;
  PlanOptions options;
  options.memory_limit_bytes = std::uint64_t{8} << 30;
  ConvolutionSpec spec;
  spec.image = {1024, 1024, 1024};
  spec.kernel = {33, 33, 33};
  const Plan small = make_plan(spec, gpu, options);
  const auto not_worth_it = split_transform(spec, gpu, options);
  REQUIRE(not_worth_it);
  CHECK(not_worth_it->transfer_bytes > small.transfer_bytes);
  spec.kernel = {1000, 700, 700};
  options.memory_limit_bytes = std::uint64_t{16} << 30;
  const auto split = split_transform(spec, gpu, options);
  REQUIRE(split);
  CHECK(split->part_plan.footprint_bytes <= options.memory_limit_bytes);
  CHECK(split->num_parts % 2 == 1);
  CHECK(split->whole.axes[0].padded == split->num_parts * split->part.image.z);
  options.host_memory_limit_bytes = std::uint64_t{1} << 30;
  CHECK_FALSE(split_transform(spec, gpu, options));
}
