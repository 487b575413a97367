// The contract on complex images and kernels: their parts' convolutions, combined.
#include <complex>

#include "backend/contract_runs.hpp"
#include "support/placed_images.hpp"

using namespace convoy;
using namespace convoy::contract;

namespace {

using Complex = std::complex<double>;

std::vector<double> part_of_values(const std::vector<Complex>& values, bool imaginary) {
  std::vector<double> part;
  for (const Complex& value : values) part.push_back(imaginary ? value.imag() : value.real());
  return part;
}

std::vector<Complex> random_complex(std::size_t count, std::uint64_t seed, bool is_real) {
  const std::vector<double> real = oracle::random_values(count, seed),
                            imaginary = oracle::random_values(count, seed + 1);
  std::vector<Complex> values;
  for (std::size_t i = 0; i < count; ++i) values.emplace_back(real[i], is_real ? 0 : imaginary[i]);
  return values;
}

/// Four direct sums, or two of a real image, which has no imaginary part outside either; a correlation takes the
/// kernel's conjugate.
std::vector<Complex> truth_of_complex(const ConvolutionSpec& spec, const std::vector<Complex>& image,
                                      const std::vector<Complex>& kernel, bool real_image) {
  const double sign = spec.operation == Operation::convolve ? 1 : -1;
  const auto sum = [&](bool of_image, bool of_kernel) {
    if (of_image && real_image)
      return std::vector<double>(static_cast<std::size_t>(num_voxels(output_shape(spec)) * spec.batch));
    return truth_of(spec, part_of_values(image, of_image), part_of_values(kernel, of_kernel));
  };
  const auto rr = sum(false, false), ri = sum(false, true), ir = sum(true, false), ii = sum(true, true);
  std::vector<Complex> truth;
  for (std::size_t i = 0; i < rr.size(); ++i) truth.emplace_back(rr[i] - sign * ii[i], ir[i] + sign * ri[i]);
  return truth;
}

double error_of(const std::vector<Complex>& got, const std::vector<Complex>& truth) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    difference += std::norm(got[i] - truth[i]);
    norm += std::norm(truth[i]);
  }
  return std::isfinite(difference) ? std::sqrt(difference / norm) : std::numeric_limits<double>::infinity();
}

/// A view of voxels that are complex, or of their real parts.
template <class Real>
struct Voxels {
  std::vector<std::complex<Real>> complex;
  std::vector<Real> real;
  bool is_real;

  Voxels(const std::vector<Complex>& values, bool only_real) : is_real(only_real) {
    for (const Complex& value : values) {
      complex.emplace_back(static_cast<Real>(value.real()), static_cast<Real>(value.imag()));
      real.push_back(static_cast<Real>(value.real()));
    }
  }
  ImageView view(const Shape& shape, Index batch = 1) const {
    return is_real ? ImageView(real, shape, batch) : ImageView(complex, shape, batch);
  }
};

template <class Real>
void check_complex(ConvolutionSpec spec, bool real_image, bool real_kernel, const PlanOptions& plan = {}) {
  spec.precision = std::is_same_v<Real, float> ? Precision::f32 : Precision::f64;
  const auto count = static_cast<std::size_t>(num_voxels(spec.image) * spec.batch);
  const std::vector<Complex> image = random_complex(count, 31, real_image);
  const std::vector<Complex> kernel =
      random_complex(static_cast<std::size_t>(num_voxels(spec.kernel)), 41, real_kernel);
  const Voxels<Real> voxels(image, real_image), weights(kernel, real_kernel);
  Convolver convolver(spec, weights.view(spec.kernel), device_under_test(), options_for(plan));
  const Shape shape = convolver.output_shape();
  const std::vector<Complex> truth = truth_of_complex(spec, image, kernel, real_image);
  std::vector<std::complex<Real>> output(truth.size(), {NAN, NAN});
  convolver.run(voxels.view(spec.image, spec.batch), {output, shape, spec.batch});
  CAPTURE(oracle::to_text(spec));
  CAPTURE(real_image);
  CAPTURE(real_kernel);
  CHECK(error_of({output.begin(), output.end()}, truth) <= tolerances::convolution(spec.precision));
}

ConvolutionSpec small() {
  ConvolutionSpec spec;
  spec.image = {5, 9, 14};
  spec.kernel = {2, 3, 4};
  return spec;
}

}  // namespace

TEST_CASE("complex images and kernels, one of them or both, with every operation") {
  for (const Operation operation : {Operation::convolve, Operation::flip, Operation::correlate}) {
    for (const Boundary boundary : {Boundary::zero, Boundary::reflect, Boundary::wrap}) {
      if (plans_are_costly() && (boundary == Boundary::wrap || operation == Operation::correlate)) continue;
      for (const int real : {0, 1, 2}) {
        ConvolutionSpec spec = small();
        spec.operation = operation;
        spec.boundary = boundary;
        check_complex<float>(spec, real == 1, real == 2);
        if (plans_are_costly() || !device_under_test().limits().supports_f64) continue;
        spec.mode = boundary == Boundary::zero ? Mode::full : Mode::same;
        check_complex<double>(spec, real == 1, real == 2);
      }
    }
  }
}

TEST_CASE("complex images in batches, tiles, regions and by direct sums") {
  PlanOptions plan;
  plan.min_tiles = 4;
  ConvolutionSpec spec = small();
  spec.batch = 3;
  check_complex<float>(spec, false, false, plan);
  if (plans_are_costly()) return;
  check_complex<float>(spec, false, true, plan);
  plan.method = Method::direct;
  check_complex<float>(spec, false, false, plan);
  spec.mode = Mode::valid;
  spec.batch = 1;
  check_complex<float>(spec, false, false);
  spec.mode = Mode::circular;
  check_complex<float>(spec, false, false);
  spec.mode = Mode::same;
  spec.boundary = Boundary::constant;
  spec.constant = 2;
  check_complex<float>(spec, true, false);
}

TEST_CASE("complex images at any distances") {
  ConvolutionSpec spec = small();
  spec.batch = 2;
  const auto count = static_cast<std::size_t>(num_voxels(spec.image) * spec.batch);
  const std::vector<Complex> image = random_complex(count, 31, false), kernel = random_complex(24, 41, false);
  const std::vector<Complex> truth = truth_of_complex(spec, image, kernel, false);
  const std::complex<float> gap(-7, 7);
  test::PlacedImages<std::complex<float>> weights(spec.kernel, 1, test::layouts().back(), gap);
  weights.fill(kernel);
  Convolver convolver(spec, weights.view(), device_under_test(), options_for({}));
  for (const test::Layout& layout : test::layouts()) {
    test::PlacedImages<std::complex<float>> in(spec.image, spec.batch, layout, gap),
        out(spec.image, spec.batch, layout, gap);
    in.fill(image);
    convolver.run(in.view(), out.view());
    const auto written = out.voxels();
    CHECK(error_of({written.begin(), written.end()}, truth) <= tolerances::convolution(Precision::f32));
    CHECK(out.count(gap) == out.size() - static_cast<Index>(written.size()));
  }
}
