// What input_box leaves out changes no output voxel, and each of its faces changes some.
#include <doctest/doctest.h>

#include <vector>

#include "convoy/plan.hpp"
#include "selftest/oracle.hpp"
#include "support/random_problem.hpp"

using namespace convoy;
using namespace convoy::test;

namespace {

Index offset_of(const Shape& at, const Shape& shape) { return (at.z * shape.y + at.y) * shape.x + at.x; }

/// The image with other values where `choose` says so.
template <class Choose>
std::vector<double> changed(std::vector<double> image, const Shape& shape, const Choose& choose) {
  for (Index z = 0; z < shape.z; ++z) {
    for (Index y = 0; y < shape.y; ++y) {
      for (Index x = 0; x < shape.x; ++x) {
        const Shape at{z, y, x};
        if (choose(at)) image[static_cast<std::size_t>(offset_of(at, shape))] += 7;
      }
    }
  }
  return image;
}

bool is_inside(const Box& box, const Shape& at) {
  for (int axis = 0; axis < 3; ++axis) {
    if (at[axis] < box.begin[axis] || at[axis] >= box.begin[axis] + box.size[axis]) return false;
  }
  return true;
}

/// The oracle's output, of which only the region.
std::vector<double> part_of_output(ConvolutionSpec spec, const std::vector<double>& image,
                                   const std::vector<double>& kernel) {
  const Box region = spec.region.value_or(Box{{0, 0, 0}, output_shape(spec)});
  spec.region.reset();
  const Shape whole = output_shape(spec);
  const auto output = oracle::direct(spec, image, kernel);
  std::vector<double> part;
  for (Index i = 0; i < num_voxels(whole); ++i) {
    const Shape at{i / whole.x / whole.y, i / whole.x % whole.y, i % whole.x};
    if (is_inside(region, at)) part.push_back(output[static_cast<std::size_t>(i)]);
  }
  return part;
}

}  // namespace

TEST_CASE("the input box is what the output depends on, and no larger") {
  Dice dice(the_seed());
  Index num_parts = 0;
  for (int trial = 0; trial < 2000; ++trial) {
    ConvolutionSpec spec = random_spec(dice);
    if (dice.between(0, 3) > 0) spec.region = random_part(dice, output_shape(spec));
    CAPTURE(oracle::to_text(spec));
    const Box box = input_box(spec);
    REQUIRE(is_inside({{0, 0, 0}, spec.image}, box.begin));
    num_parts += num_voxels(box.size) < num_voxels(spec.image);
    const auto image = oracle::random_image(spec.image, 1);
    const auto kernel = oracle::random_image(spec.kernel, 2);
    const auto output = part_of_output(spec, image, kernel);
    const auto elsewhere = changed(image, spec.image, [&](const Shape& at) { return !is_inside(box, at); });
    REQUIRE(part_of_output(spec, elsewhere, kernel) == output);
    for (int axis = 0; axis < 3; ++axis) {
      for (const Index face : {box.begin[axis], box.begin[axis] + box.size[axis] - 1}) {
        const auto touched = changed(image, spec.image, [&](const Shape& at) { return at[axis] == face; });
        CAPTURE(axis);
        CAPTURE(face);
        REQUIRE(part_of_output(spec, touched, kernel) != output);
      }
    }
  }
  CHECK(num_parts > 500);
}

TEST_CASE("the input box of long axes takes no time, and a spec that makes no sense is refused") {
  ConvolutionSpec spec;
  spec.image = {1, Index{1} << 40, Index{1} << 20};
  spec.kernel = {1, Index{1} << 30, 3};
  spec.boundary = Boundary::nearest;
  spec.region = Box{{0, 0, 5}, {1, 10, 10}};
  CHECK(input_box(spec).begin == Shape{0, 0, 4});
  CHECK(input_box(spec).size == Shape{1, (Index{1} << 29) + 10, 12});
  spec.region->size.x = Index{1} << 21;
  CHECK_THROWS(input_box(spec));
}
