// The contract on images that are not dense: they are read and written where they lie, whatever their distances.
#include "backend/contract_runs.hpp"
#include "support/placed_images.hpp"

using namespace convoy;
using namespace convoy::contract;

namespace {

/// A batch of two of them, through a boundary, in tiles and whole.
template <class T, class Real>
void check_layouts(ConvolutionSpec spec, const std::vector<test::Layout>& layouts) {
  spec.batch = 2;
  spec.precision = std::is_same_v<Real, float> ? Precision::f32 : Precision::f64;
  const auto count = static_cast<std::size_t>(num_voxels(spec.image) * spec.batch);
  std::vector<double> values = oracle::random_values(count, 5);
  if (!is_floating_voxel<T>) {
    for (double& value : values) value = std::round(1000 + 100 * value);
  }
  const std::vector<double> kernel = oracle::random_image(spec.kernel, 6);
  const std::vector<double> truth = truth_of(spec, values, kernel);
  const Shape output_shape = convoy::output_shape(spec);
  const Real gap = -12345;
  for (const Index tiles : {1, 4}) {
    PlanOptions plan;
    plan.min_tiles = tiles;
    // Mirrored as well: a kernel may lie anywhere, too.
    test::PlacedImages<Real> weights(spec.kernel, 1, layouts.back(), Real(0));
    weights.fill(kernel);
    Convolver convolver(spec, weights.view(), device_under_test(), options_for(plan));
    for (std::size_t i = 0; i < layouts.size(); ++i) {
      CAPTURE(i);
      CAPTURE(tiles);
      test::PlacedImages<T> image(spec.image, spec.batch, layouts[i], T(77));
      image.fill(values);
      test::PlacedImages<Real> output(output_shape, spec.batch, layouts[(i + 2) % layouts.size()], gap);
      convolver.run(image.view(), output.view());
      const std::vector<Real> written = output.voxels();
      CHECK(oracle::relative_l2(written, truth) <= tolerances::convolution(spec.precision));
      CHECK(output.count(gap) == output.size() - static_cast<Index>(written.size()));
    }
  }
}

ConvolutionSpec small(Boundary boundary, Operation operation = Operation::convolve) {
  ConvolutionSpec spec;
  spec.image = {5, 9, 14};
  spec.kernel = {2, 3, 4};
  spec.boundary = boundary;
  spec.operation = operation;
  return spec;
}

}  // namespace

TEST_CASE("images are read and written at any distances") {
  std::vector<test::Layout> layouts = test::layouts();
  if (plans_are_costly()) layouts.erase(layouts.begin() + 1, layouts.begin() + 4);
  check_layouts<float, float>(small(Boundary::zero), layouts);
  check_layouts<std::uint16_t, float>(small(Boundary::reflect), layouts);
  if (device_under_test().limits().supports_f64) check_layouts<double, double>(small(Boundary::nearest), layouts);
  if (plans_are_costly()) return;
  check_layouts<float, float>(small(Boundary::mirror, Operation::correlate), layouts);  // its output is folded
  ConvolutionSpec flat = small(Boundary::wrap);
  flat.image.z = flat.kernel.z = 1;
  check_layouts<std::int16_t, float>(flat, layouts);
}

TEST_CASE("a part of page-locked images is used where it lies") {
  ConvolutionSpec spec = small(Boundary::zero);
  spec.batch = 2;
  const Shape whole{7, 13, 20};
  const auto count = static_cast<std::size_t>(num_voxels(whole));
  PinnedBuffer in(device_under_test(), 2 * count * sizeof(float));
  PinnedBuffer out(device_under_test(), 2 * count * sizeof(float));
  const std::vector<double> values = oracle::random_values(2 * count, 8);
  std::copy(values.begin(), values.end(), in.as<float>().begin());
  std::fill_n(out.as<float>().begin(), 2 * count, -12345.0F);
  Strides strides = dense_strides(whole, Element::f32);
  const std::size_t first = (1 * 13 + 2) * 20 + 3;
  const ImageView image(in.as<float>().data() + first, Element::f32, spec.image, 2, strides);
  const MutableImageView output(out.as<float>().data() + first, Element::f32, spec.image, 2, strides);
  std::vector<double> shown;
  for (Index z = 0; z < 2 * spec.image.z; ++z) {
    for (Index y = 0; y < spec.image.y; ++y) {
      const Index plane = z % spec.image.z + z / spec.image.z * whole.z;
      const auto row = values.begin() + static_cast<Index>(first) + (plane * whole.y + y) * whole.x;
      shown.insert(shown.end(), row, row + spec.image.x);
    }
  }
  const std::vector<double> kernel = oracle::random_image(spec.kernel, 6);
  const std::vector<float> weights(kernel.begin(), kernel.end());
  const std::vector<double> truth = truth_of(spec, shown, kernel);
  double sum = 0;
  for (const double value : shown) sum += value;
  for (const bool sums : {false, true}) {
    ConvolverOptions options = options_for({});
    options.plan.min_tiles = 3;
    options.sums = sums;
    Convolver convolver(spec, ImageView(weights, spec.kernel), device_under_test(), options);
    const RunReport report = convolver.run(image, output);
    std::vector<float> written;
    for (Index z = 0; z < 2 * spec.image.z; ++z) {
      for (Index y = 0; y < spec.image.y; ++y) {
        const Index plane = z % spec.image.z + z / spec.image.z * whole.z;
        const auto row = out.as<float>().begin() + static_cast<Index>(first) + (plane * whole.y + y) * whole.x;
        written.insert(written.end(), row, row + spec.image.x);
      }
    }
    CHECK(oracle::relative_l2(written, truth) <= tolerances::convolution(Precision::f32));
    const auto voxels = out.as<float>();
    CHECK(std::count(voxels.begin(), voxels.end(), -12345.0F) == static_cast<Index>(voxels.size() - written.size()));
    if (sums) CHECK(std::abs(report.input_sum - sum) <= 1e-9 * static_cast<double>(count));
  }
}
