#include "convoy/psf.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "convoy/error.hpp"
#include "convoy/synthetic.hpp"

using namespace convoy;

namespace {

struct Psf {
  Shape shape;
  std::vector<double> voxels;

  ImageView view() const { return {voxels.data(), Element::f64, shape}; }
  double at(Index z, Index y, Index x) const {
    return voxels[static_cast<std::size_t>((z * shape.y + y) * shape.x + x)];
  }
};

Psf random_psf(const Shape& shape, std::mt19937_64& random) {
  Psf psf{shape, std::vector<double>(static_cast<std::size_t>(num_voxels(shape)))};
  std::exponential_distribution<double> light;
  for (double& voxel : psf.voxels) voxel = light(random);
  return psf;
}

Psf psf_of(const Image& image) {
  REQUIRE(image.element == Element::f64);
  const auto* first = reinterpret_cast<const double*>(image.bytes.data());
  return {image.shape, std::vector<double>(first, first + num_voxels(image.shape))};
}

double sum_of(const Psf& psf) { return std::accumulate(psf.voxels.begin(), psf.voxels.end(), 0.0); }

/// Mean and variance of the place along x, from floor(k/2), weighted with the light.
std::pair<double, double> place_along_x(const Psf& psf) {
  double mean = 0, square = 0;
  for (std::size_t i = 0; i < psf.voxels.size(); ++i) {
    const auto x = static_cast<double>(static_cast<Index>(i) % psf.shape.x - psf.shape.x / 2);
    mean += psf.voxels[i] * x;
    square += psf.voxels[i] * x * x;
  }
  mean /= sum_of(psf);
  return {mean, square / sum_of(psf) - mean * mean};
}

/// The voxels of a random box, summed in the plain way.
double sum_in(const Psf& psf, const Box& box) {
  double sum = 0;
  for (Index z = box.begin.z; z < box.begin.z + box.size.z; ++z) {
    for (Index y = box.begin.y; y < box.begin.y + box.size.y; ++y) {
      for (Index x = box.begin.x; x < box.begin.x + box.size.x; ++x) sum += psf.at(z, y, x);
    }
  }
  return sum;
}

}  // namespace

TEST_CASE("a resampled PSF keeps sum and sign, whatever its extents and the step") {
  std::mt19937_64 random(11);
  std::uniform_int_distribution<Index> extent(1, 9);
  std::uniform_real_distribution<double> exponent(-1.5, 1.5);
  for (int i = 0; i < 200; ++i) {
    const Psf psf = random_psf({extent(random), extent(random), extent(random)}, random);
    const std::array<double, 3> step{std::exp2(exponent(random)), std::exp2(exponent(random)), 1};
    const Psf made = psf_of(resample_psf(psf.view(), step));
    CHECK(sum_of(made) == doctest::Approx(sum_of(psf)).epsilon(1e-12));
    CHECK(made.shape.x == psf.shape.x);
    CHECK((made.shape.y % 2 == 1 || psf.shape.y == made.shape.y));
    CHECK((psf.shape.z > 1 || made.shape.z == 1));
    for (const double voxel : made.voxels) CHECK(voxel >= 0);
  }
}

TEST_CASE("a resampled PSF at a step of 1 is the PSF") {
  std::mt19937_64 random(12);
  const Psf psf = random_psf({4, 5, 6}, random);
  CHECK(psf_of(resample_psf(psf.view(), {1, 1, 1})).voxels == psf.voxels);
  CHECK(psf_of(resample_psf(psf.view(), {1, 1, 1})).shape == psf.shape);
}

TEST_CASE("a Gaussian stays where it is and as wide as it is, in new voxels") {
  for (const double step : {0.4, 0.7, 1.6, 2.5}) {
    for (const Index size : {41, 42}) {
      Psf psf{{1, 1, size}, std::vector<double>(static_cast<std::size_t>(size))};
      fill_gaussian_psf({psf.voxels.data(), Element::f64, psf.shape}, {0, 0, 4});
      const auto [mean, variance] = place_along_x(psf_of(resample_psf(psf.view(), {1, 1, step})));
      CHECK(mean == doctest::Approx(place_along_x(psf).first / step).epsilon(1e-3));
      // The hat's variance is 1/6 of a voxel, and that of a voxel of the new size 1/12 of it.
      CHECK(variance * step * step ==
            doctest::Approx(place_along_x(psf).second + 1.0 / 6 + step * step / 12).epsilon(1e-3));
    }
  }
}

TEST_CASE("integers become f32, and what cannot be a step is refused") {
  const std::vector<std::uint8_t> voxels{0, 1, 3, 1, 0};
  const ImageView psf(voxels.data(), Element::u8, {1, 1, 5});
  CHECK(resample_psf(psf, {1, 1, 0.5}).element == Element::f32);
  for (const double step : {0.0, -1.0, double{NAN}, double{INFINITY}, 1e-12}) {
    CHECK_THROWS_AS(resample_psf(psf, {1, 1, step}), Error);
  }
}

TEST_CASE("the box of a PSF leaves out no more than asked, and as much as it may along each axis") {
  std::mt19937_64 random(13);
  std::uniform_int_distribution<Index> extent(1, 8);
  std::uniform_real_distribution<double> part(0.2, 1.0);
  for (int i = 0; i < 300; ++i) {
    const Psf psf = random_psf({extent(random), extent(random), extent(random)}, random);
    const auto place = [&](Index size) { return std::uniform_int_distribution<Index>(0, size - 1)(random); };
    const Shape origin{place(psf.shape.z), place(psf.shape.y), place(psf.shape.x)};
    const double energy = part(random);
    const Box box = psf_box(psf.view(), origin, energy);
    CHECK(sum_in(psf, box) >= (energy - 1e-12) * sum_of(psf));
    for (int axis = 0; axis < 3; ++axis) {
      const Index before = origin[axis] - box.begin[axis];
      const Index after = box.begin[axis] + box.size[axis] - 1 - origin[axis];
      const Index reach = std::max(before, after);
      CHECK((before == reach || box.begin[axis] == 0));
      CHECK((after == reach || box.begin[axis] + box.size[axis] == psf.shape[axis]));
      if (reach == 0) continue;
      Box slab{{0, 0, 0}, psf.shape};
      slab.begin[axis] = std::max<Index>(0, origin[axis] - reach + 1);
      slab.size[axis] = std::min(psf.shape[axis], origin[axis] + reach) - slab.begin[axis];
      CHECK(sum_of(psf) - sum_in(psf, slab) > (1 - energy) / 3 * sum_of(psf) * (1 - 1e-12));
    }
    const Psf part_of_it = psf_of(cut_out(psf.view(), box));
    CHECK(sum_of(part_of_it) == doctest::Approx(sum_in(psf, box)));
    CHECK(part_of_it.at(0, 0, 0) == psf.at(box.begin.z, box.begin.y, box.begin.x));
  }
}

TEST_CASE("boxes that cannot be are refused") {
  const std::vector<double> light{0, 1, 0}, dark{0, -1, 0}, broken{0, NAN, 1};
  const Shape shape{1, 1, 3};
  CHECK(psf_box({light.data(), Element::f64, shape}, {0, 0, 1}, 1) == Box{{0, 0, 1}, {1, 1, 1}});
  CHECK(psf_box({light.data(), Element::f64, shape}, {0, 0, 0}, 1) == Box{{0, 0, 0}, {1, 1, 2}});
  for (const double energy : {0.0, -0.5, 1.1, double{NAN}}) {
    CHECK_THROWS_AS(psf_box({light.data(), Element::f64, shape}, {0, 0, 1}, energy), Error);
  }
  CHECK_THROWS_AS(psf_box({light.data(), Element::f64, shape}, {0, 0, 3}, 0.9), Error);
  CHECK_THROWS_AS(psf_box({dark.data(), Element::f64, shape}, {0, 0, 1}, 0.9), Error);
  CHECK_THROWS_AS(psf_box({broken.data(), Element::f64, shape}, {0, 0, 1}, 0.9), Error);
  CHECK_THROWS_AS(cut_out({light.data(), Element::f64, shape}, {{0, 0, 2}, {1, 1, 2}}), Error);
  CHECK_THROWS_AS(cut_out({light.data(), Element::f64, shape}, {{0, 0, -1}, {1, 1, 2}}), Error);
  CHECK_THROWS_AS(cut_out({light.data(), Element::f64, shape}, {{0, 0, 0}, {1, 1, 0}}), Error);
}
