// Arrays on the device that are not dense, and complex ones: read and written where they lie.
#include <complex>

#include "backend/resident_runs.hpp"
#include "support/placed_images.hpp"
#include "support/random_problem.hpp"

namespace {

using test::Dice;
using test::Layout;
using test::PlacedImages;

template <class T>
constexpr bool kIsComplex = is_complex_voxel<T>;

/// Images in a buffer of the device with gaps between voxels.
template <class T>
class PlacedArray {
 public:
  PlacedArray(const Shape& shape, Index batch, const Layout& layout)
      : images_(shape, batch, layout, kGap), handle_(memory().allocate(images_.bytes().size())) {
    memory().write(handle_, images_.bytes());
  }
  void set(const std::vector<T>& voxels) {
    images_.fill(voxels);
    memory().write(handle_, images_.bytes());
  }
  DeviceArray get() {
    const MutableImageView view = images_.view();
    DeviceArray array(handle_, view.element, view.shape);
    array.batch = view.batch;
    array.offset_bytes = images_.offset_bytes();
    array.strides = view.strides;
    return array;
  }
  /// Fails if anything else was written.
  std::vector<T> voxels() {
    memory().read(handle_, images_.bytes());
    std::vector<T> voxels = images_.voxels();
    CHECK(images_.count(kGap) == images_.size() - static_cast<Index>(voxels.size()));
    return voxels;
  }

 private:
  static constexpr T kGap = T(-12345);
  PlacedImages<T> images_;
  std::uint64_t handle_;
};

/// Zero-mean, image by image.
template <class T>
std::vector<T> random_voxels(const Shape& shape, Index batch, std::uint64_t seed) {
  const std::vector<double> values =
      oracle::random_values(static_cast<std::size_t>(num_voxels(shape) * batch * (kIsComplex<T> ? 2 : 1)), seed);
  std::vector<T> voxels;
  for (std::size_t i = 0; i < values.size();) {
    if constexpr (kIsComplex<T>) {
      using Part = typename T::value_type;
      voxels.emplace_back(static_cast<Part>(values[i]), static_cast<Part>(values[i + 1]));
      i += 2;
    } else if constexpr (is_floating_voxel<T>) {
      voxels.push_back(static_cast<T>(values[i++]));
    } else {
      voxels.push_back(static_cast<T>(std::round(1000 + 100 * values[i++])));
    }
  }
  return voxels;
}

/// Parts of voxels as doubles, those of one part behind the other's.
template <class T>
std::vector<double> parts_of(const std::vector<T>& voxels) {
  std::vector<double> parts;
  for (const int part : {0, 1}) {
    for (const T& voxel : voxels) {
      if constexpr (kIsComplex<T>) {
        parts.push_back(static_cast<double>(part == 0 ? voxel.real() : voxel.imag()));
      } else if (part == 0) {
        parts.push_back(static_cast<double>(voxel));
      }
    }
  }
  return parts;
}

struct Placed {
  ConvolutionSpec spec;
  PlanOptions plan;
  Layout image;
  Layout output;
};

/// Along the problem's layouts.
template <class T>
std::vector<T> run_placed(const ConvolutionSpec& spec, const Placed& problem, const std::vector<T>& voxels) {
  PlacedArray<T> image(spec.image, spec.batch, problem.image);
  PlacedArray<T> output(output_shape(spec), spec.batch, problem.output);
  image.set(voxels);
  ResidentOptions options = options_for(spec, problem.plan);
  options.image = options.output = element_of<T>();
  options.image_strides = image.get().strides;
  options.output_strides = output.get().strides;
  ResidentConvolver convolver = convolver_of(spec, options);
  convolver.run(image.get(), output.get(), memory().stream());
  convolver.wait();
  return output.voxels();
}

/// <A x, y> = <x, A' y>
template <class T>
void check_adjoint(Placed problem, std::uint64_t seed) {
  problem.spec.operation = Operation::convolve;
  problem.spec.constant = 0;
  ConvolutionSpec adjoint = problem.spec;
  adjoint.operation = Operation::correlate;
  const bool whole = problem.spec.mode == Mode::full || problem.spec.mode == Mode::valid;
  if (whole) return;  // the adjoint's image would be the output
  const auto x = random_voxels<T>(problem.spec.image, problem.spec.batch, 2 * seed + 1);
  const auto y = random_voxels<T>(problem.spec.image, problem.spec.batch, 2 * seed + 2);
  const std::vector<double> ax = parts_of(run_placed(problem.spec, problem, x));
  const std::vector<double> aty = parts_of(run_placed(adjoint, problem, y));
  const std::vector<double> of_x = parts_of(x), of_y = parts_of(y);
  const double one = std::inner_product(ax.begin(), ax.end(), of_y.begin(), 0.0);
  const double other = std::inner_product(of_x.begin(), of_x.end(), aty.begin(), 0.0);
  const double size = std::sqrt(std::inner_product(ax.begin(), ax.end(), ax.begin(), 0.0) *
                                std::inner_product(of_y.begin(), of_y.end(), of_y.begin(), 0.0));
  CAPTURE(oracle::to_text(problem.spec));
  CHECK(std::abs(one - other) <= 4 * tolerances::convolution(problem.spec.precision) * size);
}

template <class In, class Out>
void check_as(Placed problem, std::uint64_t seed = 7) {
  ConvolutionSpec& spec = problem.spec;
  spec.precision = sizeof(Out) / (kIsComplex<Out> ? 2 : 1) == 4 ? Precision::f32 : Precision::f64;
  if (problem.plan.method == Method::automatic) problem.plan.method = Method::fft;
  CAPTURE(oracle::to_text(spec));
  CAPTURE(spec.batch);
  CAPTURE(name(problem.plan.method));
  CAPTURE(problem.plan.min_tiles);
  PlacedArray<In> image(spec.image, spec.batch, problem.image);
  PlacedArray<Out> output(output_shape(spec), spec.batch, problem.output);
  const std::vector<In> voxels = random_voxels<In>(spec.image, spec.batch, seed);
  image.set(voxels);
  ResidentOptions options = options_for(spec, problem.plan);
  options.image = element_of<In>();
  options.output = element_of<Out>();
  options.image_strides = image.get().strides;
  options.output_strides = output.get().strides;
  ResidentConvolver convolver = convolver_of(spec, options);
  convolver.run(image.get(), output.get(), memory().stream());
  convolver.wait();
  CAPTURE(std::string(name(convolver.plan().path)));
  ConvolutionSpec of_parts = spec;
  if (kIsComplex<In>) of_parts.batch *= 2;
  const std::vector<double> truth = truth_of(of_parts, parts_of(voxels), problem.plan.method);
  const test::DifferenceKind kind{"resident strides", convolver.plan().path, spec.precision};
  test::check_difference(kind, oracle::relative_l2(parts_of(output.voxels()), truth),
                         tolerances::convolution(spec.precision));
}

ConvolutionSpec small(Boundary boundary, Operation operation = Operation::convolve) {
  ConvolutionSpec spec = spec_of({4, 7, 10}, {2, 3, 4}, Mode::same, boundary, operation);
  spec.batch = 2;
  return spec;
}

/// Of random order, direction and gaps.
Layout random_layout(Dice& dice) {
  Layout layout;
  for (std::size_t i = 4; i > 1; --i) {
    std::swap(layout.order[i - 1], layout.order[static_cast<std::size_t>(dice.between(0, static_cast<Index>(i) - 1))]);
  }
  for (Index& step : layout.steps) step = dice.one_of<Index>({1, 1, 2, 3, -1, -2});
  return layout;
}

}  // namespace

TEST_CASE("resident: arrays at any distances, by every method, whole and in tiles") {
  std::vector<Layout> layouts = test::layouts();
  if (plans_are_costly()) layouts.erase(layouts.begin() + 1, layouts.begin() + 4);
  for (std::size_t i = 0; i < layouts.size(); ++i) {
    CAPTURE(i);
    const Layout& output = layouts[(i + 2) % layouts.size()];
    for (const Method method : {Method::fft, Method::direct, Method::separable}) {
      check_as<float, float>({small(Boundary::reflect), by(method), layouts[i], output});
      if (plans_are_costly()) continue;
      check_as<float, float>({small(Boundary::zero), by(method, 4), layouts[i], output});
    }
    check_as<float, float>({small(Boundary::mirror, Operation::correlate), {}, layouts[i], output});  // folded
    if (plans_are_costly()) continue;
    check_as<std::uint16_t, float>({small(Boundary::wrap), {}, layouts[i], output});
    ConvolutionSpec lines = spec_of({1, 1, 60}, {1, 1, 7}, Mode::same, Boundary::nearest);
    lines.batch = 3;
    check_as<float, float>({lines, tiles(3), layouts[i], output});
    PlanOptions staged;
    staged.path = Path::staged;
    check_as<float, float>({small(Boundary::zero), staged, layouts[i], output});
  }
}

TEST_CASE("resident: complex arrays, dense and not, by every method, whole and in tiles") {
  using Complex = std::complex<float>;
  const std::vector<Layout> layouts = test::layouts();
  for (const Layout& layout : {Layout{}, layouts[4], layouts[6]}) {
    for (const Method method : {Method::fft, Method::direct, Method::separable}) {
      check_as<Complex, Complex>({small(Boundary::reflect), by(method), layout, Layout{}});
      if (plans_are_costly()) continue;
      check_as<Complex, Complex>({small(Boundary::zero), by(method, 4), Layout{}, layout});
    }
    check_as<Complex, Complex>({small(Boundary::reflect, Operation::correlate), {}, layout, layout});
    ConvolutionSpec lines = spec_of({1, 1, 60}, {1, 1, 7}, Mode::full, Boundary::zero);
    check_as<Complex, Complex>({lines, tiles(3), layout, layout});
    if (device().limits().supports_f64) {
      check_as<std::complex<double>, std::complex<double>>({small(Boundary::zero), {}, layout, layout});
    }
  }
}

TEST_CASE("resident: a complex kernel makes a complex output of real images, in every operation") {
  using Complex = std::complex<float>;
  for (const Operation operation : {Operation::convolve, Operation::correlate, Operation::flip}) {
    const ConvolutionSpec spec = small(Boundary::zero, operation);
    const std::vector<float> voxels = random_voxels<float>(spec.image, spec.batch, 3);
    const std::vector<Complex> kernel = random_voxels<Complex>(spec.kernel, 1, 4);
    PlacedArray<float> image(spec.image, spec.batch, test::layouts()[4]);
    PlacedArray<Complex> output(output_shape(spec), spec.batch, test::layouts()[6]);
    image.set(voxels);
    ResidentOptions options = options_for(spec, by(Method::fft));
    options.output = Element::c64;
    options.image_strides = image.get().strides;
    options.output_strides = output.get().strides;
    if (device().info().id.starts_with("vulkan")) {  // whose buffers begin at multiples of more than a part
      CHECK_THROWS_WITH_AS(ResidentConvolver(spec, ImageView(kernel, spec.kernel), device(), options),
                           doctest::Contains("take a Convolver"), Error);
      continue;
    }
    ResidentConvolver convolver(spec, ImageView(kernel, spec.kernel), device(), options);
    convolver.run(image.get(), output.get(), memory().stream());
    convolver.wait();
    std::vector<Complex> expected(voxels.size());
    Convolver(spec, ImageView(kernel, spec.kernel), open_device("cpu"))
        .run(ImageView(voxels, spec.image, spec.batch), MutableImageView(expected, spec.image, spec.batch));
    CHECK(oracle::relative_l2(parts_of(output.voxels()), parts_of(expected)) <=
          2 * tolerances::convolution(spec.precision));
  }
}

TEST_CASE("resident: other distances than planned, and those at which voxels overlap, are refused with their numbers") {
  const ConvolutionSpec spec = small(Boundary::zero);
  PlacedArray<float> image(spec.image, spec.batch, test::layouts()[1]);
  PlacedArray<float> output(output_shape(spec), spec.batch, Layout{});
  ResidentOptions options = options_for(spec);
  {
    ResidentConvolver dense = convolver_of(spec, options);
    CHECK_THROWS_WITH_AS(dense.run(image.get(), output.get()), doctest::Contains("strides of"), Error);
  }
  options.output_strides = Strides{40, 4, 4, 280};
  CHECK_THROWS_WITH_AS(convolver_of(spec, options), doctest::Contains("overlap"), Error);
  options.output_strides.reset();
  options.image_strides = Strides{40, 6, 2, 280};
  CHECK_THROWS_WITH_AS(convolver_of(spec, options), doctest::Contains("no multiple"), Error);
  options.image_strides.reset();
  options.image = Element::c64;
  CHECK_THROWS_WITH_AS(convolver_of(spec, options), doctest::Contains("c64"), Error);  // for a real output
}

TEST_CASE("resident: arrays at any distances obey <A x, y> = <x, A' y>") {
  Dice dice(test::the_seed() + 4);
  for (std::uint64_t i = 0; i < (plans_are_costly() ? 12u : 100u); ++i) {
    Placed problem{test::random_spec(dice), by(Method::fft), random_layout(dice), random_layout(dice)};
    problem.spec.precision = Precision::f32;
    problem.spec.batch = dice.one_of<Index>({1, 2});
    CAPTURE(i);
    i % 2 == 0 ? check_adjoint<float>(problem, i) : check_adjoint<std::complex<float>>(problem, i);
  }
}

TEST_CASE("random problems of arrays at any distances, real and complex, equal the direct sum") {
  Dice dice(test::the_seed() + 2);
  const std::uint64_t count = test::number_from("CONVOY_TEST_CASES", plans_are_costly() ? 40 : 300);
  for (std::uint64_t i = 0; i < count; ++i) {
    Placed problem{test::random_spec(dice), {}, random_layout(dice), random_layout(dice)};
    if (!device().limits().supports_f64) problem.spec.precision = Precision::f32;
    problem.spec.batch = dice.one_of<Index>({1, 1, 2, 5});
    const Index most = std::min<Index>(dice.one_of<Index>({1, 1, 2, 7}), num_voxels(output_shape(problem.spec)));
    problem.plan = by(dice.one_of({Method::fft, Method::fft, Method::direct, Method::separable}), most);
    const bool complex = dice.between(0, 2) == 0 && problem.spec.constant == 0;
    CAPTURE(i);
    if (problem.spec.precision == Precision::f32) {
      complex ? check_as<std::complex<float>, std::complex<float>>(problem, i) : check_as<float, float>(problem, i);
    } else {
      complex ? check_as<std::complex<double>, std::complex<double>>(problem, i) : check_as<double, double>(problem, i);
    }
  }
}
