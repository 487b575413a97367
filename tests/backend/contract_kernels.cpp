// The contract's part of several kernels in one convolver.
#include <memory>

#include "backend/contract_runs.hpp"
#include "support/boxed_image.hpp"
#include "support/several_kernels.hpp"

using namespace convoy;
using namespace convoy::contract;

namespace {

template <class Real>
std::vector<Real> as(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

template <class Real>
void check_as(const test::KernelsProblem& problem, const PlanOptions& plan) {
  const ConvolutionSpec& spec = problem.spec;
  const std::vector<Real> images = as<Real>(problem.images);
  const std::vector<Real> kernels = as<Real>(problem.kernels);
  const std::vector<Real> weights = as<Real>(problem.weights);
  ConvolverOptions options = options_for(plan);
  if (!weights.empty()) options.weights = ImageView(weights, weights_shape(spec), spec.num_kernels);
  Convolver convolver(spec, ImageView(kernels, spec.kernel, spec.num_kernels), device_under_test(), options);
  std::vector<Real> output(static_cast<std::size_t>(num_voxels(convolver.output_shape()) * num_outputs(spec)),
                           std::numeric_limits<Real>::quiet_NaN());
  convolver.run(ImageView(images, spec.image, num_images(spec)),
                MutableImageView(output, convolver.output_shape(), num_outputs(spec)));
  const test::DifferenceKind kind{"kernels", convolver.plan().path, spec.precision};
  CAPTURE(std::string(name(convolver.plan().path)));
  CAPTURE(convolver.plan().num_in_flight);
  CAPTURE(convolver.plan().num_tiles());
  test::check_difference(kind, oracle::relative_l2(output, test::truth_of(problem)),
                         tolerances::convolution(spec.precision));
}

void check_kernels(const ConvolutionSpec& spec, const PlanOptions& plan, std::uint64_t seed = 1) {
  CAPTURE(oracle::to_text(spec));
  CAPTURE(std::string(name(spec.pairing)));
  CAPTURE(spec.num_kernels);
  CAPTURE(spec.batch);
  CAPTURE(plan.min_tiles);
  CAPTURE(std::string(name(plan.method)));
  const auto problem = test::kernels_problem(spec, seed, plan.method == Method::separable);
  spec.precision == Precision::f32 ? check_as<float>(problem, plan) : check_as<double>(problem, plan);
}

ConvolutionSpec paired(ConvolutionSpec spec, Pairing pairing, Index num_kernels, Index batch) {
  spec.pairing = pairing;
  spec.num_kernels = num_kernels;
  spec.batch = pairing == Pairing::each ? num_kernels : batch;
  return spec;
}

bool has_constant(const ConvolutionSpec& spec) { return spec.boundary == Boundary::constant && spec.constant != 0; }

}  // namespace

TEST_CASE("several kernels of every pairing equal the sum over each of them, in every mode and boundary") {
  for (const Sizes& size : {Sizes{{5, 8, 9}, {2, 3, 4}}, Sizes{{1, 13, 8}, {1, 5, 4}}, Sizes{{1, 1, 30}, {1, 1, 7}}}) {
    for (const ConvolutionSpec& spec : every_mode(size)) {
      if (spec.origin.rule == Origin::Rule::scipy) continue;
      for (const Pairing pairing : kAllPairings) {
        if (pairing == Pairing::sum && has_constant(spec)) continue;
        if (plans_are_costly() && pairing == Pairing::each) continue;
        check_kernels(paired(spec, pairing, 3, 2), {});
      }
    }
  }
}

TEST_CASE("several kernels in tiles, in flight, on every path, equal the direct sum") {
  for (const Pairing pairing : kAllPairings) {
    for (const Operation operation : {Operation::convolve, Operation::correlate}) {
      for (const Boundary boundary : {Boundary::zero, Boundary::mirror}) {
        ConvolutionSpec spec = spec_of({{6, 9, 20}, {3, 4, 5}});
        spec.operation = operation;
        spec.boundary = boundary;
        spec = paired(spec, pairing, 3, 2);
        for (const Index tiles : {1, 6}) {
          PlanOptions plan;
          plan.min_tiles = tiles;
          plan.min_sets = 2;
          check_kernels(spec, plan);
          plan.path = Path::staged;
          if (tiles == 1) check_kernels(spec, plan);
        }
      }
    }
  }
}

TEST_CASE("several kernels without transforms equal the direct sum") {
  for (const Method method : {Method::direct, Method::separable}) {
    for (const Pairing pairing : kAllPairings) {
      for (const Operation operation : {Operation::convolve, Operation::correlate}) {
        ConvolutionSpec spec = spec_of({{6, 9, 20}, {3, 4, 5}});
        spec.operation = operation;
        spec.boundary = Boundary::reflect;
        PlanOptions plan;
        plan.method = method;
        plan.min_tiles = 3;
        check_kernels(paired(spec, pairing, 3, 2), plan);
      }
    }
  }
}

TEST_CASE("random problems of several kernels equal the direct sum, regions too") {
  test::Dice dice(test::the_seed());
  const std::uint64_t count = test::number_from("CONVOY_TEST_CASES", plans_are_costly() ? 60 : 300);
  for (std::uint64_t i = 0; i < count; ++i) {
    ConvolutionSpec spec = test::with_kernels(test::random_spec(dice), dice);
    if (!device_under_test().limits().supports_f64) spec.precision = Precision::f32;
    const Shape output = output_shape(spec);
    if (dice.between(0, 2) == 0) {
      Box region;
      for (int axis = 0; axis < 3; ++axis) {
        region.begin[axis] = dice.between(0, output[axis] - 1);
        region.size[axis] = dice.between(1, output[axis] - region.begin[axis]);
      }
      // A small part of a sum that cancels may be all rounding.
      if (num_voxels(region.size) > 4) spec.region = region;
    }
    PlanOptions plan;
    plan.min_tiles = std::min<Index>(dice.one_of({1, 1, 2, 7}), num_voxels(output_shape(spec)));
    plan.min_sets = static_cast<int>(dice.between(1, 3));
    CAPTURE(i);
    check_kernels(spec, plan, i + 1);
  }
}

TEST_CASE("readers and writers of several images, kernels and weights give what memory does") {
  for (const Pairing pairing : kAllPairings) {
    for (const Operation operation : {Operation::convolve, Operation::correlate}) {
      ConvolutionSpec spec = spec_of({{4, 9, 20}, {3, 4, 5}});
      spec.operation = operation;
      spec.boundary = operation == Operation::correlate ? Boundary::mirror : Boundary::reflect;
      const ConvolutionSpec all = paired(spec, pairing, 3, 2);
      spec = paired(spec, pairing, 3, 1);  // of which there are two to read and write
      const auto problem = test::kernels_problem(all, 5);
      const std::vector<float> images = as<float>(problem.images), kernels = as<float>(problem.kernels),
                               weights = as<float>(problem.weights);
      PlanOptions plan;
      plan.min_tiles = 4;
      plan.streaming = Streaming{};
      ConvolverOptions options = options_for(plan);
      if (!weights.empty()) options.weights = ImageView(weights, weights_shape(spec), spec.num_kernels);
      Convolver convolver(spec, ImageView(kernels, spec.kernel, spec.num_kernels), device_under_test(), options);
      const Shape out = convolver.output_shape();
      std::vector<std::unique_ptr<test::BoxedImage<float>>> readers;
      std::vector<std::unique_ptr<test::BoxedOutput<float>>> writers;
      std::vector<const ImageReader*> from;
      std::vector<ImageWriter*> to;
      for (Index i = 0; i < num_images(all); ++i) {
        readers.push_back(std::make_unique<test::BoxedImage<float>>(
            as<float>(test::part(problem.images, spec.image, i)), spec.image, Shape{1, 9, 20}));
        from.push_back(readers.back().get());
      }
      for (Index i = 0; i < num_outputs(all); ++i) {
        writers.push_back(std::make_unique<test::BoxedOutput<float>>(out, Shape{1, out.y, out.x}));
        to.push_back(writers.back().get());
      }
      convolver.run(from, to);
      std::vector<float> written;
      for (const auto& writer : writers) {
        CHECK(writer->all_written_once());
        written.insert(written.end(), writer->voxels().begin(), writer->voxels().end());
      }
      CAPTURE(name(pairing));
      CAPTURE(name(operation));
      CHECK(oracle::relative_l2(written, test::truth_of(problem)) < tolerances::convolution(spec.precision));
      from.pop_back();
      CHECK_THROWS_WITH_AS(convolver.run(from, to), doctest::Contains("of pairing"), Error);
    }
  }
}

TEST_CASE("kernels are normalised one by one, and what cannot be paired is refused by its numbers") {
  ConvolutionSpec spec = paired(spec_of({{1, 6, 7}, {1, 3, 3}}), Pairing::all, 2, 1);
  spec.normalize_kernel = true;
  std::vector<float> kernels(18, 1.0f);
  std::fill_n(kernels.begin() + 9, 9, 0.5f);
  const std::vector<float> image(42, 1.0f);
  std::vector<float> output(84);
  const ImageView both(kernels, spec.kernel, 2);
  Convolver convolver(spec, both, device_under_test(), options_for({}));
  const RunReport report = convolver.run(ImageView(image, spec.image), MutableImageView(output, spec.image, 2));
  REQUIRE(report.kernel_factors.size() == 2);
  CHECK(report.kernel_factors[0] == doctest::Approx(1.0 / 9));
  CHECK(report.kernel_factors[1] == doctest::Approx(2.0 / 9));
  CHECK(output[16] == doctest::Approx(1));
  CHECK(output[42 + 16] == doctest::Approx(1));

  const auto refuses = [&](const ConvolutionSpec& wrong, const ConvolverOptions& options, const char* words) {
    CHECK_THROWS_WITH_AS(Convolver(wrong, both, device_under_test(), options), doctest::Contains(words), Error);
  };
  ConvolutionSpec wrong = spec;
  wrong.pairing = Pairing::each;
  refuses(wrong, {}, "2 kernel(s) and 1 image(s)");
  wrong.pairing = Pairing::sum;
  refuses(wrong, {}, "pairing sum needs weights: 2 image(s) of 1x6x7 zyx");
  ConvolverOptions options;
  options.weights = ImageView(image, spec.image);
  refuses(wrong, options, "batch of 1 image(s), but this was planned for 2");
  refuses(spec, options, "weights belong to pairing sum");
  wrong = spec;
  wrong.num_kernels = 3;
  refuses(wrong, {}, "batch of 2 image(s), but this was planned for 3");
  wrong = spec;
  wrong.origin = {Origin::Rule::peak, {}};
  refuses(wrong, {}, "not defined for 2 kernels");
  kernels[12] = std::numeric_limits<float>::quiet_NaN();
  refuses(spec, {}, "kernel 1 of 2: the kernel has 1 NaN");
}
