#include <doctest/doctest.h>

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

TEST_CASE("slots of every set count, and sums stop at the end of 64 bits") {
  Program program;
  program.slots = {{"a", 100}, {"b", 10, true}};
  program.num_in_flight = 3;
  CHECK(program.footprint_bytes() == 130);
  program.slots.push_back({"huge", UINT64_MAX, true});
  CHECK(program.footprint_bytes() == UINT64_MAX);
}
