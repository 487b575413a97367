// Missing voxels of arrays on the device: interpolated and preserved, as a Convolver of images in host memory does.
#include "backend/resident_runs.hpp"
#include "support/random_problem.hpp"

namespace {

/// Some voxels NaN, one infinite.
std::vector<double> with_holes(std::vector<double> image, unsigned seed, double part) {
  const std::vector<double> dice = oracle::random_values(image.size(), seed);
  std::vector<double> sorted = dice;
  std::sort(sorted.begin(), sorted.end());
  const double below = sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
  for (std::size_t i = 0; i < image.size(); ++i) {
    if (dice[i] < below) image[i] = NAN;
  }
  image[image.size() / 2] = INFINITY;
  return image;
}

std::vector<double> positive_kernel(const ConvolutionSpec& spec) {
  std::vector<double> kernel = oracle::random_image(spec.kernel, 23);
  for (double& value : kernel) value = static_cast<double>(static_cast<float>(std::abs(value) + 0.1));
  return kernel;
}

template <class Real>
std::vector<double> on_host(const ConvolutionSpec& spec, const std::vector<double>& image,
                            const std::vector<double>& kernel) {
  const std::vector<Real> voxels(image.begin(), image.end());
  std::vector<double> output(static_cast<std::size_t>(num_voxels(output_shape(spec)) * spec.batch));
  ConvolutionSpec precise = spec;
  precise.precision = Precision::f64;
  Convolver(precise, ImageView(kernel, spec.kernel), open_device("cpu"))
      .run(ImageView(voxels, spec.image, spec.batch), MutableImageView(output, output_shape(spec), spec.batch));
  return output;
}

void check_missing(const ConvolutionSpec& spec, PlanOptions plan = {}, unsigned seed = 5, double part = 0.1) {
  CAPTURE(oracle::to_text(spec));
  CAPTURE(spec.preserve_nan);
  CAPTURE(plan.min_tiles);
  CAPTURE(name(plan.method));
  if (plan.method == Method::automatic) plan.method = Method::fft;
  const ResidentOptions options = options_for(spec, plan);
  const std::vector<double> voxels = with_holes(image_of(spec, options.image), seed, part);
  const std::vector<double> kernel = positive_kernel(spec);
  Array image(options.image, spec.image, spec.batch);
  image.set(voxels);
  const Array output(options.output, output_shape(spec), spec.batch);
  ResidentConvolver convolver(spec, ImageView(kernel, spec.kernel), device(), options);
  convolver.run(image.get(), output.get(), memory().stream());
  convolver.wait();
  CAPTURE(std::string(name(convolver.plan().path)));
  std::vector<double> got = output.values();
  std::vector<double> expected =
      spec.precision == Precision::f32 ? on_host<float>(spec, voxels, kernel) : on_host<double>(spec, voxels, kernel);
  for (std::size_t i = 0; i < got.size(); ++i) {
    REQUIRE(std::isnan(got[i]) == std::isnan(expected[i]));
    if (std::isnan(got[i])) got[i] = expected[i] = 0;
  }
  // What is left of a kernel where most is missing makes rounding errors so much larger.
  CHECK(oracle::relative_l2(got, expected) <= 20 * tolerances::convolution(spec.precision));
}

}  // namespace

TEST_CASE("resident: missing voxels are interpolated and preserved, through every boundary, whole and in tiles") {
  for (const Boundary boundary : kAllBoundaries) {
    for (const bool preserve : {false, true}) {
      for (const NonFinite non_finite : {NonFinite::interpolate, NonFinite::zero}) {
        if (non_finite == NonFinite::zero && !preserve) continue;
        if (plans_are_costly() && boundary != Boundary::constant && boundary != Boundary::wrap) continue;
        ConvolutionSpec spec = spec_of({5, 9, 12}, {2, 3, 4}, Mode::same, boundary);
        spec.non_finite = non_finite;
        spec.preserve_nan = preserve;
        check_missing(spec);
        if (plans_are_costly()) continue;
        spec.batch = 2;
        check_missing(spec, tiles(5));
        for (const Method method : {Method::direct, Method::fft}) check_missing(spec, by(method));
        spec.mode = Mode::circular;
        spec.boundary = Boundary::zero;
        check_missing(spec, tiles(3));
      }
    }
  }
}

TEST_CASE("resident: where all is missing nothing is known, which integer outputs show as 0") {
  ConvolutionSpec spec = spec_of({1, 9, 12}, {1, 3, 4});
  spec.non_finite = NonFinite::interpolate;
  ResidentOptions options = options_for(spec, by(Method::fft));
  const std::vector<double> kernel = positive_kernel(spec);
  Array image(options.image, spec.image);
  image.set(std::vector<double>(108, NAN));
  for (const Element element : {Element::f32, Element::u8}) {
    options.output = element;
    const Array output(element, spec.image);
    ResidentConvolver convolver(spec, ImageView(kernel, spec.kernel), device(), options);
    convolver.run(image.get(), output.get(), memory().stream());
    convolver.wait();
    const std::vector<double> got = output.values();
    // A window that reaches over the image's edge sees zeros there, which are known.
    const double inside = got[4 * 12 + 6];
    CHECK((element == Element::f32 ? std::isnan(inside) : inside == 0));
  }
}

TEST_CASE("random problems with missing voxels of arrays equal those of a convolver of host memory") {
  test::Dice dice(test::the_seed() + 3);
  const std::uint64_t count = test::number_from("CONVOY_TEST_CASES", plans_are_costly() ? 30 : 300);
  for (std::uint64_t i = 0; i < count; ++i) {
    ConvolutionSpec spec = test::random_spec(dice);
    if (!device().limits().supports_f64) spec.precision = Precision::f32;
    if (spec.operation == Operation::correlate) spec.operation = Operation::flip;
    spec.batch = dice.one_of<Index>({1, 1, 2, 5});
    spec.non_finite = dice.one_of({NonFinite::interpolate, NonFinite::interpolate, NonFinite::zero});
    const bool belongs = spec.mode == Mode::same || spec.mode == Mode::circular;
    spec.preserve_nan = belongs && (spec.non_finite == NonFinite::zero || dice.between(0, 1) == 0);
    const Index most = std::min<Index>(dice.one_of<Index>({1, 1, 2, 7}), num_voxels(output_shape(spec)));
    CAPTURE(i);
    check_missing(spec, by(dice.one_of({Method::fft, Method::fft, Method::direct}), most), static_cast<unsigned>(i + 1),
                  dice.one_of({0.05, 0.2, 0.5}));
  }
}
