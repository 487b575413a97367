// Several kernels in one convolver of arrays that lie on the device.
#include "backend/resident_runs.hpp"
#include "support/several_kernels.hpp"

namespace {

void check_kernels(const ConvolutionSpec& spec, const PlanOptions& plan, std::uint64_t seed = 1) {
  CAPTURE(oracle::to_text(spec));
  CAPTURE(std::string(name(spec.pairing)));
  CAPTURE(spec.num_kernels);
  CAPTURE(spec.batch);
  CAPTURE(plan.min_tiles);
  CAPTURE(std::string(name(plan.method)));
  const auto problem = test::kernels_problem(spec, seed, plan.method == Method::separable);
  ResidentOptions options = options_for(spec, plan);
  if (options.plan.method == Method::automatic) options.plan.method = Method::fft;
  if (!problem.weights.empty()) {
    options.weights = ImageView(problem.weights, weights_shape(spec), spec.num_kernels);
  }
  Array image(options.image, spec.image, num_images(spec));
  image.set(problem.images);
  const Array output(options.output, output_shape(spec), num_outputs(spec));
  ResidentConvolver convolver(spec, ImageView(problem.kernels, spec.kernel, spec.num_kernels), device(), options);
  convolver.run(image.get(), output.get(), memory().stream());
  convolver.wait();
  CAPTURE(std::string(name(convolver.plan().path)));
  CAPTURE(convolver.plan().num_in_flight);
  CAPTURE(convolver.plan().num_tiles());
  const test::DifferenceKind kind{"resident kernels", convolver.plan().path, spec.precision};
  test::check_difference(kind, oracle::relative_l2(output.values(), test::truth_of(problem)),
                         tolerances::convolution(spec.precision));
}

ConvolutionSpec paired(ConvolutionSpec spec, Pairing pairing, Index num_kernels, Index batch) {
  spec.pairing = pairing;
  spec.num_kernels = num_kernels;
  spec.batch = pairing == Pairing::each ? num_kernels : batch;
  return spec;
}

bool has_constant(const ConvolutionSpec& spec) { return spec.boundary == Boundary::constant && spec.constant != 0; }

}  // namespace

TEST_CASE("several kernels on arrays equal the sum over each of them, in every mode and boundary") {
  for (const auto& [image, kernel] : {std::pair<Shape, Shape>{{5, 8, 9}, {2, 3, 4}}, {{1, 13, 12}, {1, 5, 4}}}) {
    for (const ConvolutionSpec& spec : every_mode(image, kernel)) {
      for (const Pairing pairing : kAllPairings) {
        if (pairing == Pairing::sum && has_constant(spec)) continue;
        if (plans_are_costly() && pairing == Pairing::each) continue;
        check_kernels(paired(spec, pairing, 3, 2), {});
      }
    }
  }
}

TEST_CASE("several kernels on arrays in tiles and signals, by every method, equal the direct sum") {
  for (const auto& [image, kernel] : {std::pair<Shape, Shape>{{6, 9, 20}, {3, 4, 5}}, {{1, 1, 300}, {1, 1, 7}}}) {
    for (const Pairing pairing : kAllPairings) {
      for (const Operation operation : {Operation::convolve, Operation::correlate}) {
        const Boundary boundary = operation == Operation::correlate ? Boundary::reflect : Boundary::nearest;
        ConvolutionSpec spec = paired(spec_of(image, kernel, Mode::same, boundary, operation), pairing, 3, 2);
        check_kernels(spec, tiles(4));
        spec.boundary = Boundary::zero;
        for (const Method method : {Method::fft, Method::direct, Method::separable}) check_kernels(spec, by(method, 4));
        PlanOptions staged = tiles(4);
        staged.path = Path::staged;
        check_kernels(spec, staged);
      }
    }
  }
}

TEST_CASE("several kernels on arrays, some of them at once, equal the direct sum") {
  for (const auto& [image, kernel] : {std::pair<Shape, Shape>{{4, 6, 7}, {2, 3, 4}}, {{1, 9, 12}, {1, 5, 4}}}) {
    for (const Pairing pairing : {Pairing::all, Pairing::each}) {
      for (const Operation operation : {Operation::convolve, Operation::correlate}) {
        const ConvolutionSpec spec =
            paired(spec_of(image, kernel, Mode::same, Boundary::zero, operation), pairing, 5, 3);
        PlanOptions plan = by(Method::fft);
        plan.resident = true;
        const Plan wanted = make_plan(spec, device().limits(), plan);
        for (const std::uint64_t part : {0, 1, 2}) {  // of the room between least and most
          plan.memory_limit_bytes =
              wanted.smallest_footprint_bytes + part * (wanted.footprint_bytes - wanted.smallest_footprint_bytes) / 3;
          check_kernels(spec, plan);
        }
      }
    }
  }
}

TEST_CASE("random problems of several kernels on arrays equal the direct sum") {
  test::Dice dice(test::the_seed() + 1);
  const std::uint64_t count = test::number_from("CONVOY_TEST_CASES", plans_are_costly() ? 40 : 200);
  for (std::uint64_t i = 0; i < count; ++i) {
    ConvolutionSpec spec = test::with_kernels(test::random_spec(dice), dice);
    if (!device().limits().supports_f64) spec.precision = Precision::f32;
    const Index least_tiles = std::min<Index>(dice.one_of({1, 1, 2, 7}), num_voxels(output_shape(spec)));
    CAPTURE(i);
    check_kernels(spec, tiles(least_tiles), i + 1);
  }
}

TEST_CASE("one kernel with one image is a convolution like any other, however they are paired") {
  ConvolutionSpec spec = spec_of({4, 9, 12}, {3, 4, 5}, Mode::same, Boundary::reflect);
  for (const Pairing pairing : {Pairing::all, Pairing::each}) {
    spec.pairing = pairing;
    check(spec);
  }
}
