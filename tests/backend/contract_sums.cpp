// The contract's part without transforms, and of batches in memory.
#include "backend/contract_runs.hpp"

using namespace convoy;
using namespace convoy::contract;

TEST_CASE("every mode, boundary, origin and operation equals the direct sum without transforms") {
  for (const Method method : {Method::direct, Method::separable}) {
    PlanOptions plan;
    plan.method = method;
    for (const Sizes& size : sizes()) {
      for (ConvolutionSpec spec : every_mode(size)) {
        for (const Precision precision : {Precision::f32, Precision::f64}) {
          if (precision == Precision::f64 && !device_under_test().limits().supports_f64) continue;
          spec.precision = precision;
          check({spec, plan}, name(method));
        }
      }
    }
  }
}

TEST_CASE("tiles without transforms equal the direct sum") {
  for (const Method method : {Method::direct, Method::separable}) {
    for (const ConvolutionSpec& spec : every_mode({{14, 20, 25}, {3, 4, 5}})) {
      if (spec.origin.rule != Origin::Rule::center) continue;
      for (const Index tiles : {2, 10, 100}) {
        if (plans_are_costly() && tiles != 10) continue;
        PlanOptions plan;
        plan.method = method;
        plan.min_tiles = tiles;
        CAPTURE(tiles);
        check({spec, plan}, name(method));
      }
    }
  }
}

namespace {

/// Whether little is left of the products' magnitudes, so that rounding the kernel alone changes the result by more
/// than the tolerance: as where a boundary adds up taps of both signs on one voxel.
bool cancels(const Case& c) {
  std::vector<double> image = oracle::random_image(c.spec.image, 1);
  std::vector<double> kernel = c.plan.method == Method::separable ? oracle::random_separable(c.spec.kernel, 1001)
                                                                  : oracle::random_image(c.spec.kernel, 1001);
  const auto norm = [&](const ConvolutionSpec& spec) {
    double squares = 0;
    for (const double value : oracle::direct(spec, image, kernel)) squares += value * value;
    return std::sqrt(squares);
  };
  const double left = norm(c.spec);
  for (double& value : image) value = std::abs(value);
  for (double& value : kernel) value = std::abs(value);
  ConvolutionSpec magnitudes = c.spec;
  magnitudes.constant = std::abs(magnitudes.constant);
  return left < 0.05 * norm(magnitudes);
}

}  // namespace

TEST_CASE("a product that is folded onto a period is one product still, though its elements cancel") {
  if (!device_under_test().limits().supports_f64) return;
  ConvolutionSpec spec = spec_of({{5, 4, 1}, {5, 6, 6}});
  spec.boundary = Boundary::wrap;
  spec.precision = Precision::f64;
  const std::vector<double> of_x{0.1, -0.2, 0.3, -0.4, 0.5, -0.3 + 1e-7};
  const std::vector<double> planes = oracle::random_image({5, 6, 1}, 7);
  std::vector<double> kernel;
  for (const double plane : planes) {
    for (const double x : of_x) kernel.push_back(plane * x);
  }
  const std::vector<double> image = oracle::random_image(spec.image, 8);
  PlanOptions plan;
  plan.method = Method::separable;
  const Answer<double> answer = run<double>({spec, plan}, image, kernel);
  CHECK(answer.path == Path::separable);
  const std::vector<double> truth = oracle::direct(spec, image, kernel);
  for (std::size_t i = 0; i < truth.size(); ++i) CHECK(std::abs(answer.voxels[i] - truth[i]) < 1e-13);
}

TEST_CASE("batches of images in memory equal their images one by one, whole and in tiles") {
  for (const Sizes& size : {Sizes{{6, 9, 10}, {3, 4, 5}}, Sizes{{1, 1, 30}, {1, 1, 7}}}) {
    for (const Boundary boundary : {Boundary::zero, Boundary::reflect}) {
      for (const Operation operation : {Operation::convolve, Operation::correlate}) {
        ConvolutionSpec spec = spec_of(size);
        spec.boundary = boundary;
        spec.operation = operation;
        spec.batch = 5;
        for (const Index num_tiles : {1, 4}) {
          PlanOptions plan;
          plan.min_tiles = num_tiles;
          plan.min_sets = 2;
          check({spec, plan}, "batch");
        }
      }
    }
  }
}

TEST_CASE("batches are refused where their number is another, and name the image of a voxel that cannot be used") {
  ConvolutionSpec spec = spec_of({{2, 3, 4}, {1, 3, 3}});
  spec.batch = 3;
  std::vector<float> images(72, 1), output(72);
  const std::vector<float> kernel(9, 1);
  Convolver convolver(spec, ImageView(kernel, spec.kernel), device_under_test());
  const auto refuses = [&](const ImageView& in, const MutableImageView& out, const char* words) {
    CHECK_THROWS_WITH_AS(convolver.run(in, out), doctest::Contains(words), Error);
  };
  refuses({images.data(), Element::f32, spec.image}, {output.data(), Element::f32, spec.image, 3},
          "batch of 1 image(s)");
  refuses({images.data(), Element::f32, spec.image, 3}, {output.data(), Element::f32, spec.image, 2}, "planned for 3");
  images[24 + 13] = std::numeric_limits<float>::quiet_NaN();
  refuses({images.data(), Element::f32, spec.image, 3}, {output.data(), Element::f32, spec.image, 3},
          "z,y,x = 1,0,1 of image 1");
}

TEST_CASE("random problems without transforms equal the direct sum") {
  test::Dice dice(test::the_seed());
  const std::uint64_t count = test::number_from("CONVOY_TEST_CASES", plans_are_costly() ? 100 : 400);
  for (std::uint64_t i = 0; i < count; ++i) {
    Case problem{test::random_spec(dice), {}};
    problem.plan.method = dice.one_of({Method::direct, Method::separable});
    problem.plan.min_tiles = std::min<Index>(dice.one_of({1, 1, 2, 7}), num_voxels(output_shape(problem.spec)));
    problem.plan.min_sets = static_cast<int>(dice.between(1, 3));
    problem.spec.batch = dice.one_of({1, 1, 1, 2, 3});
    if (!device_under_test().limits().supports_f64) problem.spec.precision = Precision::f32;
    CAPTURE(i);
    if (!cancels(problem)) check(problem, name(problem.plan.method));
  }
}

TEST_CASE("kernels made for the taps of large problems") {
  // Beyond 2^24 products; odd and even rows, one plane and many, taps in registers, voxels in registers, and neither.
  std::vector<Sizes> large{{{1, 331, 257}, {1, 15, 14}}, {{33, 71, 100}, {5, 5, 5}}, {{1, 1, 200001}, {1, 1, 101}}};
  if (!plans_are_costly()) {
    large.insert(large.end(), {{{1, 1500, 1301}, {1, 3, 3}},
                               {{1, 700, 601}, {1, 7, 6}},
                               {{41, 130, 131}, {3, 3, 3}},
                               {{31, 60, 61}, {4, 5, 9}},
                               {{20, 50, 47}, {9, 9, 9}},
                               {{70, 4, 63}, {31, 3, 17}},
                               {{90, 64, 101}, {1, 5, 6}},
                               {{300, 3, 5000}, {4, 1, 1}},
                               {{6, 150, 150}, {6, 12, 11}}});
  }
  for (const Sizes& size : large) {
    for (const Mode mode : {Mode::same, Mode::valid}) {
      for (const Method method : {Method::direct, Method::separable}) {
        ConvolutionSpec spec = spec_of(size);
        spec.mode = mode;
        spec.boundary = mode == Mode::same ? Boundary::reflect : Boundary::zero;
        if (method == Method::separable && plans_are_costly()) continue;
        PlanOptions plan;
        plan.method = method;
        check({spec, plan}, name(method));
      }
    }
  }
}

TEST_CASE("without a transform a result is exactly 0 where the kernel reaches nothing else") {
  for (const Method method : {Method::direct, Method::separable}) {
    ConvolutionSpec spec = spec_of({{12, 20, 30}, {3, 5, 4}});
    std::vector<float> image(static_cast<std::size_t>(num_voxels(spec.image)));
    image[static_cast<std::size_t>((6 * 20 + 10) * 30 + 15)] = 1e6f;
    const std::vector<double> values = oracle::random_separable(spec.kernel, 3);
    const std::vector<float> kernel(values.begin(), values.end());
    PlanOptions plan;
    plan.method = method;
    Convolver convolver(spec, ImageView(kernel, spec.kernel), device_under_test(), options_for(plan));
    std::vector<float> output(image.size(), std::numeric_limits<float>::quiet_NaN());
    convolver.run(ImageView(image, spec.image), MutableImageView(output, spec.image));
    CHECK(std::count(output.begin(), output.end(), 0.0f) == num_voxels(spec.image) - num_voxels(spec.kernel));
  }
}
