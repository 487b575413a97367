#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

#include "convoy/error.hpp"
#include "kernels/deconvolution_kernels.hpp"
#include "plan/devices.hpp"
#include "planner/ledger.hpp"
#include "program/filter_setup.hpp"
#include "program/program.hpp"

using namespace convoy;

namespace {

FftGeometry geometry(Path path, int num_axes) {
  FftGeometry g;
  g.path = path;
  g.num_axes = num_axes;
  g.extent = {10, num_axes > 1 ? 20 : 1, num_axes > 2 ? 30 : 1};
  g.padded = {12, num_axes > 1 ? 24 : 1, num_axes > 2 ? 36 : 1};
  g.row_pitch = 7;
  return g;
}

}  // namespace

TEST_CASE("a fused work buffer holds no padding of the last axis") {
  CHECK(geometry(Path::fused, 3).work_bytes() == 8 * 7 * 24 * 30);
  CHECK(geometry(Path::fused, 2).work_bytes() == 8 * 7 * 20);
  CHECK(geometry(Path::fused, 1).work_bytes() == 8 * 7);
}

TEST_CASE("a staged work buffer holds the whole padded tile") {
  CHECK(geometry(Path::staged, 3).work_bytes() == 8 * 7 * 24 * 36);
  CHECK(geometry(Path::staged, 2).work_bytes() == 8 * 7 * 24);
  CHECK(geometry(Path::staged, 1).work_bytes() == 8 * 7);
}

TEST_CASE("image and spectrum do not depend on the path") {
  for (const Path path : {Path::fused, Path::staged}) {
    CHECK(geometry(path, 3).image_bytes() == 4 * 10 * 20 * 30);
    CHECK(geometry(path, 3).spectrum_bytes() == 8 * 7 * 24 * 36);
    CHECK(geometry(path, 1).image_bytes() == 4 * 10);
  }
  FftGeometry twice = geometry(Path::fused, 3);
  twice.precision = Precision::f64;
  CHECK(twice.real_bytes() == 8);
  CHECK(twice.image_bytes() == 2 * geometry(Path::fused, 3).image_bytes());
  CHECK(twice.work_bytes() == 2 * geometry(Path::fused, 3).work_bytes());
  CHECK(twice.spectrum_bytes() == 2 * geometry(Path::fused, 3).spectrum_bytes());
}

TEST_CASE(
    "a batch has an image and a work buffer each, and one spectrum; what is in one launch has one work buffer for "
    "all") {
  for (const Path path : {Path::native, Path::fused, Path::staged}) {
    for (const int num_axes : {1, 2, 3}) {
      FftGeometry one = geometry(path, num_axes);
      one.in_one_launch = path == Path::native && num_axes < 3;
      FftGeometry five = one;
      five.batch = 5;
      CHECK(five.image_bytes() == 5 * one.image_bytes());
      CHECK(five.work_bytes() == (one.in_one_launch ? 1 : 5) * one.work_bytes());
      CHECK(five.spectrum_bytes() == one.spectrum_bytes());
      CHECK(five != one);
    }
  }
}

TEST_CASE("a plan's batch is in its bytes, its texts and its programs' geometry") {
  ConvolutionSpec spec;
  spec.image = {16, 20, 24};
  spec.kernel = {3, 3, 3};
  PlanOptions options;
  options.method = Method::fft;
  Plan plan = make_plan(spec, test::cpu(), options);
  CHECK(plan.batch == 1);
  CHECK(to_json(plan).find("\"batch\": 1") != std::string::npos);
  CHECK(to_text(plan).find("batches") == std::string::npos);
  const TileLayout one = layout_of(plan);
  const FftGeometry geometry_of_one = geometry_of(plan);
  plan.batch = 3;
  CHECK(layout_of(plan).batch == 3);
  CHECK(geometry_of(plan).image_bytes() == 3 * geometry_of_one.image_bytes());
  CHECK(footprint_bytes(layout_of(plan), plan.limits, 2) ==
        footprint_bytes(one, plan.limits, 2) + 4 * one.image_bytes() + 2 * one.work_bytes());
  CHECK(to_json(plan).find("\"batch\": 3") != std::string::npos);
  CHECK(to_text(plan).find("1 tile in batches of 3") != std::string::npos);
  CHECK(ledger_of(layout_of(plan), plan.limits, 1)[0].note.starts_with("3 times "));

  Program program;
  program.slots = {{"image", 0}, {"work", 0}, {"spectrum", 0}};
  program.run.emplace_back(Convolve{geometry_of(plan), 0, 1, 2});
  CHECK(to_text(program).find(" 3 times ") != std::string::npos);
}

TEST_CASE("parameters of a step are found by the names of its kernel") {
  Dispatch step;
  step.kernel = &kernels::remember_response;
  step.parameters = {parameter(std::uint32_t{7})};
  CHECK(step.parameter("place").bits == 7);
  step.parameter("place") = parameter(std::uint32_t{9});
  CHECK(step.parameters[0].bits == 9);
  CHECK_THROWS_AS(step.parameter("nowhere"), std::out_of_range);
}

TEST_CASE("slots of every set count, and sums stop at the end of 64 bits") {
  Program program;
  program.slots = {{"a", 100}, {"b", 10, true}};
  program.num_in_flight = 3;
  CHECK(program.footprint_bytes() == 130);
  program.slots.push_back({"huge", UINT64_MAX, true});
  CHECK(program.footprint_bytes() == UINT64_MAX);
}
