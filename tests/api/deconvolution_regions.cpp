// Regions of deconvolutions, and the memory that their plans count.
#include <doctest/doctest.h>

#include "restoring_series.hpp"
#include "support/random_problem.hpp"

using namespace restoring;
using convoy::test::Dice;

namespace {

std::vector<float> restored(const DeconvolutionSpec& spec, const Problem& problem, const PlanOptions& plan) {
  DeconvolverOptions options;
  options.plan = plan;
  const auto psf = to_f32(problem.kernel());
  const auto data = to_f32(problem.data());
  Deconvolver deconvolver(spec, ImageView(psf, spec.psf), device_under_test(), options);
  std::vector<float> result(static_cast<std::size_t>(num_voxels(output_shape(spec))));
  deconvolver.run(ImageView(data, spec.image), MutableImageView(result, output_shape(spec)));
  return result;
}

std::vector<float> cut(const std::vector<float>& image, const Shape& shape, const Box& box) {
  std::vector<float> part;
  for (Index z = box.begin.z; z < box.begin.z + box.size.z; ++z) {
    for (Index y = box.begin.y; y < box.begin.y + box.size.y; ++y) {
      const auto row = image.begin() + ((z * shape.y + y) * shape.x + box.begin.x);
      part.insert(part.end(), row, row + box.size.x);
    }
  }
  return part;
}

}  // namespace

TEST_CASE("a region in tiles of the same cores is what the whole has there, bit by bit") {
  Dice dice(5);
  for (int i = 0; i < (plans_are_costly() ? 1 : 8); ++i) {
    const Problem problem = plans_are_costly()
                                ? Problem{{1, 1, 96}, {1, 1, 5}}
                                : Problem{{dice.between(1, 9), dice.between(5, 20), dice.between(6, 30)}, {1, 3, 4}};
    DeconvolutionSpec spec = problem.spec(Edges::noncirculant, 2);
    spec.tiles = Tiles::fast;
    PlanOptions plan;
    plan.tile_output = plans_are_costly() ? Shape{1, 1, 40}
                                          : Shape{dice.between(1, spec.image.z), dice.between(3, spec.image.y),
                                                  dice.between(4, spec.image.x)};
    const std::vector<float> whole = restored(spec, problem, plan);
    const Box region = convoy::test::random_part(dice, spec.image);
    spec.region = region;
    CAPTURE(to_text(region));
    CAPTURE(to_text(*plan.tile_output));
    CHECK(restored(spec, problem, plan) == cut(whole, spec.image, region));
  }
}

TEST_CASE("regions that jobs restore are whole cores and cover the image once") {
  const Problem problem{{9, 40, 50}, {3, 5, 7}};
  DeconvolutionSpec spec = problem.spec(Edges::noncirculant, 2);
  spec.tiles = Tiles::fast;
  PlanOptions options;
  options.tile_output = Shape{4, 16, 20};
  const DeconvolutionPlan plan = make_plan(spec, device_under_test().limits(), options);
  REQUIRE(plan.fast);
  CHECK(plan.fast->counts == Shape{3, 3, 3});
  Index voxels = 0;
  for (const Box& box : split_output(plan, 6)) {
    voxels += num_voxels(box.size);
    for (int axis = 0; axis < 3; ++axis) CHECK(box.begin[axis] % (*options.tile_output)[axis] == 0);
  }
  CHECK(voxels == num_voxels(spec.image));
  CHECK_THROWS_WITH_AS(split_output(make_plan(problem.spec(Edges::noncirculant, 2), device_under_test().limits()), 2),
                       doctest::Contains("no fast tiles"), Error);
  CHECK_THROWS_WITH_AS(split_output(plan, 7), doctest::Contains("cannot be cut into"), Error);
}

TEST_CASE("a region that leaves the image, or is to be restored in exact tiles, is refused") {
  DeconvolutionSpec spec = Problem{{4, 8, 9}, {1, 3, 3}}.spec(Edges::noncirculant, 2);
  spec.region = Box{{0, 0, 0}, {2, 2, 2}};
  CHECK_THROWS_WITH_AS(validate(spec), doctest::Contains("fast tiles"), Error);
  spec.tiles = Tiles::fast;
  CHECK_NOTHROW(validate(spec));
  spec.region->begin.x = 8;
  CHECK_THROWS_WITH_AS(validate(spec), doctest::Contains("leaves the output of 9 voxels"), Error);
}

TEST_CASE("what a plan counts of host memory is within the limit, or it is refused with more than that") {
  Dice dice(18);
  const Limits limits = open_device("cpu").limits();
  Index num_exact = 0;
  Index num_refused = 0;
  for (int i = 0; i < 60; ++i) {
    DeconvolutionSpec spec;
    spec.image = {dice.between(1, 40), dice.between(20, 300), dice.between(20, 300)};
    spec.psf = {dice.between(1, 9), dice.between(1, 30), dice.between(1, 30)};
    spec.edges = dice.one_of({Edges::noncirculant, Edges::zero, Edges::reflect});
    spec.acceleration = dice.one_of({Acceleration::none, Acceleration::momentum, Acceleration::biggs});
    spec.precision = dice.one_of({Precision::f32, Precision::f64});
    PlanOptions options;
    options.num_devices = static_cast<int>(dice.between(1, 2));
    const auto frame_bytes = 8 * static_cast<std::uint64_t>(num_voxels(spec.image));
    options.memory_limit_bytes = frame_bytes * static_cast<std::uint64_t>(dice.between(1, 4)) + (1 << 20);
    options.host_memory_limit_bytes = frame_bytes * static_cast<std::uint64_t>(dice.between(2, 24)) + (4 << 20);
    if (dice.between(0, 1) == 0) options.streaming = Streaming{Element::u16, Element::f32, spec.image, spec.image};
    try {
      const DeconvolutionPlan plan = make_plan(spec, limits, options);
      std::uint64_t counted = 0;
      for (const LedgerLine& line : plan.host_ledger) counted += line.bytes;
      CHECK(counted == plan.host_bytes);
      const auto shares = static_cast<std::uint64_t>(plan.is_tiled() ? 1 : options.num_devices);
      CHECK(shares * plan.host_bytes <= options.host_memory_limit_bytes);
      CHECK(plan.footprint_bytes <= options.memory_limit_bytes);
      if (plan.is_tiled()) {
        CHECK(plan.host_bytes > plan.footprint_bytes);  // which is the machine's own
        ++num_exact;
      }
    } catch (const OutOfMemory& problem) {
      CHECK(problem.requested_bytes() > problem.limit_bytes());
      CHECK(problem.limit_bytes() > 0);
      ++num_refused;
    }
  }
  CHECK(num_exact > 5);
  CHECK(num_refused < 30);
}
