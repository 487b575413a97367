// Plans for arrays that lie on the device.
#include <doctest/doctest.h>

#include "convoy/plan.hpp"
#include "plan/devices.hpp"

using namespace convoy;
using namespace convoy::test;

namespace {

Plan plan_of(const Shape& image, const Shape& kernel, bool resident, const Limits& limits = large_gpu()) {
  ConvolutionSpec spec;
  spec.image = image;
  spec.kernel = kernel;
  PlanOptions options;
  options.resident = resident;
  return make_plan(spec, limits, options);
}

}  // namespace

TEST_CASE("a resident plan counts no transfers and holds one tile at a time") {
  for (const Limits& limits : {large_gpu(), overlapping_gpu(), small_gpu(), cpu()}) {
    const Plan plan = plan_of({64, 500, 500}, {9, 31, 31}, true, limits);
    CHECK(plan.resident);
    CHECK(plan.transfer_bytes == 0);
    CHECK(plan.num_in_flight == 1);
    CHECK(to_text(plan).find("0 B to and from the host") != std::string::npos);
    std::uint64_t bytes = 0;
    for (const LedgerLine& line : plan.ledger) bytes += line.bytes;
    CHECK(plan.footprint_bytes == bytes);
  }
}

TEST_CASE("a resident plan is as fast as predicted for the transforms and two copies within the device") {
  const Plan host = plan_of({128, 512, 512}, {128, 256, 256}, false);
  const Plan resident = plan_of({128, 512, 512}, {128, 256, 256}, true);
  REQUIRE(host.num_tiles() == 1);
  REQUIRE(resident.num_tiles() == 1);
  const std::uint64_t image_bytes = 4ull * 128 * 512 * 512;
  CHECK(resident.traffic_bytes == host.traffic_bytes + 4 * image_bytes);
  CHECK(resident.predicted_seconds < 0.5 * host.predicted_seconds);
}

TEST_CASE("planes are cut so that the cache holds work and spectrum, where no transfer pays for the halo") {
  Limits limits = large_gpu();
  limits.cache_bytes = 60 << 20;
  const Plan plan = plan_of({1, 8192, 8192}, {1, 65, 65}, true, limits);
  CHECK(plan.num_tiles() > 1);
  const Shape padded = plan.padded();
  CHECK(2 * 8 * (padded.x / 2 + 1) * padded.y <= static_cast<Index>(limits.cache_bytes));
  limits.cache_bytes = 0;
  CHECK(plan_of({1, 8192, 8192}, {1, 65, 65}, true, limits).num_tiles() < plan.num_tiles());
}
