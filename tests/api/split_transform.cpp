// Kernels nearly as large as the image on devices that hold neither: the transform is split, and nothing changes but
// time.
#include <doctest/doctest.h>

#include <complex>
#include <limits>

#include "convoy/convoy.hpp"
#include "planner/origin.hpp"
#include "selftest/oracle.hpp"
#include "selftest/tolerances.hpp"
#include "support/boxed_image.hpp"
#include "support/device_under_test.hpp"
#include "support/faulty_device.hpp"
#include "support/placed_images.hpp"

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
  // Drivers round allocations up.
  CHECK(static_cast<double>(device_under_test().used_bytes()) <=
        1.05 * static_cast<double>(convolver.plan().footprint_bytes));
  return oracle::relative_l2(output, problem.truth);
}

}  // namespace

TEST_CASE("every mode, boundary and operation equals the direct sum") {
  for (const Mode mode : {Mode::same, Mode::full, Mode::valid, Mode::circular}) {
    for (const Boundary boundary : {Boundary::zero, Boundary::constant, Boundary::reflect, Boundary::wrap}) {
      for (const Operation operation : {Operation::convolve, Operation::correlate, Operation::flip}) {
        Problem problem({20, 11, 12}, {18, 10, 11});
        problem.spec.mode = mode;
        // Full outputs through a boundary read so much around the image that tiles need less than parts here.
        if (mode != Mode::same && boundary != Boundary::zero) continue;
        if (operation == Operation::correlate && boundary == Boundary::reflect) continue;  // folded: tiles alone do it
        problem.spec.boundary = boundary;
        problem.spec.constant = boundary == Boundary::constant && operation != Operation::correlate ? 3 : 0;
        problem.spec.operation = operation;
        problem.spec.precision = Precision::f64;
        problem.prepare();
        problem.make_memory_short();
        CAPTURE(name(mode));
        CAPTURE(name(boundary));
        CAPTURE(name(operation));
        CHECK(check(problem) <= tolerances::convolution(Precision::f64));
      }
    }
  }
}

TEST_CASE("images that are not dense") {
  Problem problem({20, 11, 12}, {18, 10, 11});
  problem.spec.boundary = Boundary::reflect;
  problem.prepare();
  problem.make_memory_short();
  Convolver convolver = problem.convolver();
  for (const test::Layout& layout : test::layouts()) {
    test::PlacedImages<double> image(problem.spec.image, 1, layout, -7);
    test::PlacedImages<double> output(problem.spec.image, 1, layout, -7);
    image.fill(problem.image);
    convolver.run(image.view(), output.view());
    CHECK(oracle::relative_l2(output.voxels(), problem.truth) <= tolerances::convolution(Precision::f32));
  }
}

TEST_CASE("complex images and kernels") {
  Problem problem({20, 11, 12}, {18, 10, 11});
  problem.prepare();
  problem.make_memory_short();
  const auto with_imaginary = [](const std::vector<double>& real) {  // twice the real part, in reverse order
    std::vector<std::complex<double>> values;
    for (std::size_t i = 0; i < real.size(); ++i) values.emplace_back(real[i], 2 * real[real.size() - 1 - i]);
    return values;
  };
  const auto image = with_imaginary(problem.image), kernel = with_imaginary(problem.kernel);
  const auto sum = [&](bool of_image, bool of_kernel) {
    std::vector<double> x, k;
    for (const auto& value : image) x.push_back(of_image ? value.imag() : value.real());
    for (const auto& value : kernel) k.push_back(of_kernel ? value.imag() : value.real());
    return oracle::direct(problem.spec, x, k);
  };
  const auto rr = sum(false, false), ri = sum(false, true), ir = sum(true, false), ii = sum(true, true);
  for (const bool complex_kernel : {false, true}) {
    ConvolverOptions options = problem.options;
    if (complex_kernel) options.plan.memory_limit_bytes *= 2;  // half of it for either part
    const ImageView view =
        complex_kernel ? ImageView(kernel, problem.spec.kernel) : ImageView(problem.kernel, problem.spec.kernel);
    Convolver convolver(problem.spec, view, device_under_test(), options);
    CHECK(convolver.plan().split);
    std::vector<std::complex<double>> output(image.size());
    convolver.run(ImageView(image, problem.spec.image), {output, problem.spec.image});
    std::vector<double> got, truth;
    for (std::size_t i = 0; i < output.size(); ++i) {
      got.insert(got.end(), {output[i].real(), output[i].imag()});
      truth.insert(truth.end(), {rr[i] - (complex_kernel ? ii[i] : 0), ir[i] + (complex_kernel ? ri[i] : 0)});
    }
    CHECK(oracle::relative_l2(got, truth) <= tolerances::convolution(Precision::f32));
  }
}

TEST_CASE("missing voxels are not interpolated by parts of a transform, and this says what there is no memory for") {
  Problem problem({20, 11, 12}, {18, 10, 11});
  problem.spec.non_finite = NonFinite::interpolate;
  problem.prepare();
  problem.make_memory_short();
  CHECK_THROWS_AS(problem.convolver(), OutOfMemory);
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
  CHECK(check(problem) <= tolerances::convolution(Precision::f32));
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
  CHECK_THROWS_WITH_AS(convolver.run(reader, writer), doctest::Contains("stopped after tile 1"), Error);
  stop = false;
  const RunReport report = convolver.run(reader, writer);
  CHECK(last == report.num_tiles);
  CHECK(writer.all_written_once());
  CHECK(oracle::relative_l2(writer.voxels(), problem.truth) <= tolerances::convolution(Precision::f32));
}

TEST_CASE("NaN is reported, or taken as 0, and too little memory is still too little") {
  Problem problem({20, 11, 12}, {18, 10, 11});
  problem.prepare();
  problem.make_memory_short();
  problem.image[7] = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(check(problem), doctest::Contains("the first at z,y,x = 0,0,7"), Error);
  problem.spec.non_finite = NonFinite::zero;
  std::vector<double> zeroed = problem.image;
  zeroed[7] = 0;
  problem.truth = oracle::direct(problem.spec, zeroed, problem.kernel);
  CHECK(check(problem) <= tolerances::convolution(Precision::f32));
  problem.options.plan.memory_limit_bytes = 1000;
  CHECK_THROWS_AS(problem.convolver(), OutOfMemory);
}

TEST_CASE("whatever axis is the long one: planes, lines and volumes") {
  const std::vector<std::pair<Shape, Shape>> shapes{
      {{1, 60, 20}, {1, 55, 19}}, {{1, 20, 60}, {1, 19, 55}}, {{1, 1, 300}, {1, 1, 280}}, {{2, 50, 9}, {1, 50, 9}}};
  for (const auto& [image, kernel] : shapes) {
    for (const Boundary boundary : {Boundary::constant, Boundary::reflect}) {
      Problem problem(image, kernel);
      problem.spec.boundary = boundary;
      problem.spec.constant = boundary == Boundary::constant ? 3 : 0;
      problem.spec.precision = Precision::f64;
      problem.prepare();
      problem.make_memory_short();
      CAPTURE(to_text(image));
      CHECK(check(problem) <= tolerances::convolution(Precision::f64));
    }
    if (plans_are_costly()) return;
  }
}

TEST_CASE("several devices share the convolutions, and one that fails costs time only") {
  Problem problem({40, 11, 12}, {38, 10, 11});
  problem.prepare();
  problem.make_memory_short();
  for (const int good_submits : {-1, 0, 1}) {
    Fault fault;
    fault.slowness = std::chrono::milliseconds(15);  // so that the other comes to its turn, however busy the machine is
    const Device good = faulty(device_under_test(), fault, "good");
    fault.slowness = std::chrono::milliseconds(5);
    fault.good_submits = good_submits;
    const Device bad = faulty(device_under_test(), fault, "bad");
    Convolver convolver(problem.spec, ImageView(problem.kernel, problem.spec.kernel), {good, bad}, problem.options);
    REQUIRE(convolver.plan().reasons.front().find("the transform is split") != std::string::npos);
    for (int time = 0; time < 2; ++time) {
      std::vector<double> output(problem.truth.size(), std::numeric_limits<double>::quiet_NaN());
      const RunReport report = convolver.run(ImageView(problem.image, problem.spec.image),
                                             MutableImageView(output, convolver.output_shape()));
      CHECK(oracle::relative_l2(output, problem.truth) <= tolerances::convolution(Precision::f32));
      REQUIRE(report.devices.size() == 2);
      CHECK(report.devices[0].num_tiles + report.devices[1].num_tiles == report.num_tiles);
      CHECK(report.devices[1].failure.empty() == (good_submits < 0));
      CHECK((report.devices[1].num_tiles > 0) == (good_submits != 0 && (time == 0 || good_submits < 0)));
    }
    const std::uint64_t num_parts_held = good_submits < 0 ? 2 : 1;
    CHECK(bad.used_bytes() <= num_parts_held * convolver.plan().footprint_bytes);
  }
}
