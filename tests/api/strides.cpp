// Images at any distances, where no device matters: what is refused, what is dense, what files and restorers take.
#include <doctest/doctest.h>

#include <cmath>

#include "selftest/oracle.hpp"
#include "support/device_under_test.hpp"
#include "support/placed_images.hpp"

using namespace convoy;

namespace {

ConvolutionSpec spec_of(const Shape& image, const Shape& kernel) {
  ConvolutionSpec spec;
  spec.image = image;
  spec.kernel = kernel;
  return spec;
}

}  // namespace

TEST_CASE("strides of axes of one voxel mean nothing") {
  const std::vector<float> voxels(12);
  const ImageView odd(voxels.data(), Element::f32, {1, 1, 12}, 1, Strides{7, 9, 4, 1});
  CHECK(odd.is_dense());
  CHECK(odd.strides_in_bytes() == dense_strides({1, 1, 12}, Element::f32));
  const ImageView column(voxels.data(), Element::f32, {1, 6, 1}, 1, Strides{0, 8, 0, 0});
  CHECK_FALSE(column.is_dense());
  CHECK(column.strides_in_bytes() == Strides{48, 8, 4, 48});
  CHECK_THROWS_AS(column.as_one(), Error);
  CHECK(column.image(0).strides_in_bytes().y == 8);
}

TEST_CASE("an axis of distance 0 shows the same voxels over and over") {
  const ConvolutionSpec spec = spec_of({4, 5, 6}, {3, 3, 3});
  std::vector<float> row{1, -2, 3, 0, 5, -1};
  std::vector<double> repeated;
  for (int i = 0; i < 20; ++i) repeated.insert(repeated.end(), row.begin(), row.end());
  const std::vector<double> kernel = oracle::random_image(spec.kernel, 3);
  std::vector<float> output(repeated.size(), NAN);
  Convolver convolver(spec, ImageView(kernel, spec.kernel), device_under_test());
  convolver.run(ImageView(row.data(), Element::f32, spec.image, 1, Strides{0, 0, 4, 0}), {output, spec.image});
  CHECK(oracle::relative_l2(output, oracle::direct(spec, repeated, kernel)) <= 1e-6);
}

TEST_CASE("what cannot be read or written is refused with the numbers") {
  const ConvolutionSpec spec = spec_of({1, 3, 4}, {1, 1, 1});
  const std::vector<float> kernel{1};
  Convolver convolver(spec, ImageView(kernel, spec.kernel), device_under_test());
  std::vector<float> memory(200), output(12);
  const auto run = [&](const ImageView& from, const MutableImageView& to) { convolver.run(from, to); };
  const MutableImageView to(output, spec.image);
  const auto strided = [&](const Strides& strides) {
    return MutableImageView(memory.data() + 50, Element::f32, spec.image, 1, strides);
  };
  CHECK_THROWS_WITH_AS(run(strided({0, 18, 4, 0}), to), doctest::Contains("18 bytes apart along y"), Error);
  const ImageView beside(reinterpret_cast<std::byte*>(memory.data()) + 2, Element::f32, spec.image);
  CHECK_THROWS_WITH_AS(run(beside, to), doctest::Contains("no multiple of the 4 bytes"), Error);
  CHECK_THROWS_WITH_AS(run(strided({0, Index{1} << 62, 4, 0}), to), doctest::Contains("beyond any memory"), Error);
  const std::vector<float> image(12);
  const ImageView from(image, spec.image);
  CHECK_THROWS_WITH_AS(run(from, strided({0, 0, 4, 0})), doctest::Contains("voxels of the output overlap"), Error);
  CHECK_THROWS_WITH_AS(run(from, strided({0, 12, 4, 0})), doctest::Contains("voxels of the output overlap"), Error);
  CHECK_THROWS_WITH_AS(run(from, strided({0, 4, 8, 0})), doctest::Contains("voxels of the output overlap"), Error);
  CHECK_NOTHROW(run(from, strided({0, -16, 4, 0})));
  CHECK_NOTHROW(run(from, strided({0, 4, -12, 0})));
  CHECK_THROWS_WITH_AS(run(strided({0, -16, 4, 0}), strided({0, 16, 4, 0})), doctest::Contains("overlaps the image"),
                       Error);
}

TEST_CASE("two channels of one array are apart") {
  const ConvolutionSpec spec = spec_of({1, 3, 4}, {1, 1, 2});
  const std::vector<float> kernel{1, 2};
  std::vector<float> memory(24);
  for (std::size_t i = 0; i < 12; ++i) memory[2 * i] = static_cast<float>(i * i);
  const Strides strides{96, 32, 8, 96};
  Convolver convolver(spec, ImageView(kernel, spec.kernel), device_under_test());
  const ImageView image(memory.data(), Element::f32, spec.image, 1, strides);
  convolver.run(image, {memory.data() + 1, Element::f32, spec.image, 1, strides});
  std::vector<double> values;
  std::vector<float> output;
  for (std::size_t i = 0; i < 12; ++i) {
    values.push_back(static_cast<double>(memory[2 * i]));
    output.push_back(memory[2 * i + 1]);
    CHECK(memory[2 * i] == static_cast<float>(i * i));
  }
  CHECK(oracle::relative_l2(output, oracle::direct(spec, values, {1, 2})) <= 1e-6);
  CHECK_THROWS_AS(convolver.run(image, {memory.data(), Element::f32, spec.image, 1, strides}), Error);
}

TEST_CASE("NaN is counted and named where it is in the image") {
  const ConvolutionSpec spec = spec_of({2, 3, 4}, {1, 1, 1});
  const std::vector<float> kernel{1};
  for (const test::Layout& layout : test::layouts()) {
    test::PlacedImages<float> image(spec.image, 1, layout, NAN);
    image.fill(std::vector<float>(24, 1.0F));
    image.at(0, 1, 2, 3) = NAN;
    std::vector<float> output(24);
    Convolver convolver(spec, ImageView(kernel, spec.kernel), device_under_test());
    CHECK_THROWS_WITH_AS(convolver.run(image.view(), {output, spec.image}),
                         doctest::Contains("1 NaN or infinite voxel(s), the first at z,y,x = 1,2,3"), Error);
  }
}

TEST_CASE("a deconvolution gives the same of images at any distances") {
  DeconvolutionSpec spec;
  spec.image = {4, 9, 10};
  spec.psf = {3, 3, 3};
  spec.iterations = 3;
  std::vector<double> values = oracle::random_image(spec.image, 2);
  for (double& value : values) value = std::abs(value) + 1;
  std::vector<float> psf(27);
  fill_gaussian_psf({psf, spec.psf}, {1, 1, 1});
  std::vector<std::uint8_t> used(values.size(), 1);
  used[40] = used[41] = 0;
  std::vector<float> image(values.begin(), values.end()), plain(image.size());
  Deconvolver deconvolver(spec, ImageView(psf, spec.psf), device_under_test());
  deconvolver.run(ImageView(image, spec.image), {plain, spec.image}, ImageView(used, spec.image));
  for (const test::Layout& layout : test::layouts()) {
    test::PlacedImages<float> placed(spec.image, 1, layout, -7.0F), output(spec.image, 1, layout, -7.0F);
    test::PlacedImages<float> placed_psf(spec.psf, 1, layout, -7.0F);
    test::PlacedImages<std::uint8_t> mask(spec.image, 1, layout, 9);
    placed.fill(values);
    placed_psf.fill(psf);
    mask.fill(used);
    Deconvolver of_layout(spec, placed_psf.view(), device_under_test());
    of_layout.run(placed.view(), output.view(), mask.view());
    CHECK(output.voxels() == plain);
  }
}
