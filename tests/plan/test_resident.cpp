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

TEST_CASE("passes read and write arrays on the device themselves: no copies, and no memory for the image") {
  const Plan host = plan_of({128, 512, 512}, {128, 256, 256}, false);
  const Plan resident = plan_of({128, 512, 512}, {128, 256, 256}, true);
  REQUIRE(host.num_tiles() == 1);
  REQUIRE(resident.num_tiles() == 1);
  const std::uint64_t image_bytes = 4ull * 128 * 512 * 512;
  REQUIRE(resident.path == Path::native);
  CHECK(resident.traffic_bytes == host.traffic_bytes);
  CHECK(resident.footprint_bytes == host.footprint_bytes - image_bytes);
  CHECK(resident.predicted_seconds < 0.5 * host.predicted_seconds);
}

TEST_CASE("other paths copy tiles within the device") {
  PlanOptions options;
  options.resident = true;
  options.path = Path::fused;
  ConvolutionSpec spec;
  spec.image = {128, 512, 512};
  spec.kernel = {128, 256, 256};
  const Plan resident = make_plan(spec, large_gpu(), options);
  options.resident = false;
  const Plan host = make_plan(spec, large_gpu(), options);
  REQUIRE(resident.num_tiles() == 1);
  CHECK(resident.traffic_bytes == host.traffic_bytes + 16ull * 128 * 512 * 512);
}

TEST_CASE("small images are tiles that a workgroup holds, all in one launch") {
  Limits limits = large_gpu();
  limits.cache_bytes = 50 << 20;
  limits.num_multiprocessors = 100;
  ConvolutionSpec spec;
  spec.image = {1, 256, 256};
  spec.kernel = {1, 31, 31};
  spec.batch = 1000;
  PlanOptions options;
  options.resident = true;
  const Plan plan = make_plan(spec, limits, options);
  CHECK(plan.num_tiles() > 1);
  CHECK(plan.num_batches() == 1);
  const Shape padded = plan.padded();
  CHECK(8 * padded.y * padded.x <= static_cast<Index>(limits.shared_memory_bytes));
  std::uint64_t bytes = 0;
  for (const LedgerLine& line : plan.ledger) bytes += line.bytes;
  CHECK(plan.footprint_bytes == bytes);
  CHECK(plan.footprint_bytes < 1 << 20);
}

TEST_CASE("images go in batches of a few times what the device's cache holds") {
  Limits limits = large_gpu();
  limits.cache_bytes = 50 << 20;
  ConvolutionSpec spec;
  spec.image = {1, 512, 512};
  spec.kernel = {1, 65, 65};
  spec.batch = 1000;
  PlanOptions options;
  options.resident = true;
  const Plan plan = make_plan(spec, limits, options);
  CHECK(plan.num_tiles() == 1);
  CHECK(plan.batch >= 64);
  CHECK(plan.batch <= 150);
  CHECK(plan.num_batches() == (1000 + plan.batch - 1) / plan.batch);
  std::uint64_t bytes = 0;
  for (const LedgerLine& line : plan.ledger) bytes += line.bytes;
  CHECK(plan.footprint_bytes == bytes);
  options.memory_limit_bytes = plan.footprint_bytes / 4;
  const Plan smaller = make_plan(spec, limits, options);
  CHECK(smaller.batch < plan.batch);
  CHECK(smaller.footprint_bytes <= options.memory_limit_bytes);
}

TEST_CASE("planes are cut so that the cache holds work and spectrum, where no transfer pays for the halo") {
  Limits limits = large_gpu();
  limits.cache_bytes = 60 << 20;
  const Plan plan = plan_of({1, 8192, 8192}, {1, 65, 65}, true, limits);
  CHECK(plan.num_tiles() > 1);
  const Shape padded = plan.padded();
  CHECK(2 * 8 * (padded.x / 2 + 1) * padded.y <= static_cast<Index>(limits.cache_bytes));
  limits.cache_bytes = 0;
  CHECK(plan_of({1, 8192, 8192}, {1, 65, 65}, true, limits).num_tiles() != plan.num_tiles());
}

TEST_CASE("a signal's tiles are one launch, and what it holds does not grow with their number") {
  ConvolutionSpec spec;
  spec.image = {1, 1, Index{1} << 27};
  spec.kernel = {1, 1, 1001};
  PlanOptions options;
  options.resident = true;
  const Plan plan = make_plan(spec, caching_gpu(), options);
  CHECK(plan.path == Path::native);
  CHECK(plan.num_tiles() > 1000);
  CHECK(plan.num_batches() == 1);
  CHECK(plan.footprint_bytes < 1 << 20);
}

TEST_CASE("sums read and write arrays on the device in one launch, and hold nothing but their taps") {
  ConvolutionSpec spec;
  spec.image = {1, 4096, 4096};
  spec.kernel = {1, 7, 7};
  spec.batch = 3;
  PlanOptions options;
  options.resident = true;
  const Plan chosen = make_plan(spec, caching_gpu(), options);
  CHECK(chosen.method() == Method::direct);
  CHECK(chosen.footprint_bytes == 4 * 49);
  CHECK(chosen.num_batches() == 1);
  CHECK(chosen.traffic_bytes < 1.1 * 3 * 8 * 4096 * 4096);
  options.separable_terms = 1;
  spec.kernel = {1, 25, 25};
  const Plan separable = make_plan(spec, caching_gpu(), options);
  CHECK(separable.method() == Method::separable);
  CHECK(separable.footprint_bytes == 4 * (25 + 25 + 1));
  options.method = Method::fft;
  CHECK(separable.predicted_seconds < make_plan(spec, caching_gpu(), options).predicted_seconds);
}

TEST_CASE("sums that are added up in the output, or that take too much of a workgroup, go tile by tile on the device") {
  ConvolutionSpec spec;
  spec.image = {64, 64, 64};
  spec.kernel = {3, 3, 3};
  spec.boundary = Boundary::reflect;
  spec.operation = Operation::correlate;
  PlanOptions options;
  options.resident = true;
  options.method = Method::direct;
  const Plan adjoint = make_plan(spec, caching_gpu(), options);
  CHECK(adjoint.footprint_bytes > 2ull * 4 * 64 * 64 * 64);
  spec.operation = Operation::convolve;
  CHECK(make_plan(spec, caching_gpu(), options).footprint_bytes == 4 * 27);
  spec.kernel = {13, 13, 13};
  CHECK(make_plan(spec, caching_gpu(), options).footprint_bytes > 2ull * 4 * 64 * 64 * 64);
}
