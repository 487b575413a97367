// Budgets and ceilings: what fits is found, what does not is refused with the bound that would.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <numeric>
#include <random>

#include "convoy/error.hpp"
#include "plan/devices.hpp"
#include "plan/problems.hpp"
#include "planner/lengths.hpp"
#include "program/program.hpp"
#include "support/random_problem.hpp"

using namespace convoy;
using namespace convoy::test;

namespace {

std::uint64_t sum_of_ledger(const Plan& plan) {
  return std::accumulate(plan.ledger.begin(), plan.ledger.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const LedgerLine& line) { return sum + line.bytes; });
}

/// The tables of VkFFT belong to its transforms and are no slot of the program.
std::uint64_t bytes_of_tables(const Plan& plan) {
  std::uint64_t bytes = 0;
  if (plan.path == Path::native) return bytes;
  for (const LedgerLine& line : plan.ledger) {
    if (line.name == "FFT tables") bytes += line.bytes;
  }
  return bytes;
}

void check_ledger(const Plan& plan) {
  CHECK(plan.footprint_bytes == sum_of_ledger(plan));
  CHECK(plan.footprint_bytes == make_program(plan).footprint_bytes() + bytes_of_tables(plan));
  CHECK(plan.footprint_bytes <= plan.budget_bytes);
  CHECK(plan.smallest_footprint_bytes <= plan.footprint_bytes);
}

class RandomSpec {
 public:
  Index between(Index low, Index high) { return std::uniform_int_distribution<Index>(low, high)(random_); }

  ConvolutionSpec next() {
    ConvolutionSpec spec;
    for (int axis = 0; axis < 3; ++axis) {
      const bool flat = between(0, 4) == 0;
      spec.image[axis] = flat ? 1 : between(1, 700);
      spec.kernel[axis] = flat ? 1 : between(1, 120);
    }
    spec.mode = static_cast<Mode>(between(0, 3));
    if (spec.mode == Mode::valid) spec.kernel = smaller_of(spec.kernel, spec.image);
    spec.operation = static_cast<Operation>(between(0, 1));
    const bool full_reads = spec.mode == Mode::full && spec.operation != Operation::correlate;
    if (spec.mode == Mode::same || full_reads) spec.boundary = kAllBoundaries[between(0, kAllBoundaries.size() - 1)];
    const bool affine = spec.boundary == Boundary::constant && spec.operation != Operation::correlate;
    spec.constant = affine ? 1 : 0;
    spec.precision = static_cast<Precision>(between(0, 1));
    return spec;
  }

 private:
  static Shape smaller_of(const Shape& a, const Shape& b) {
    return {std::min(a.z, b.z), std::min(a.y, b.y), std::min(a.x, b.x)};
  }

  std::mt19937 random_{99};
};

}  // namespace

TEST_CASE("the ledger equals the footprint, budgets are kept, and the named bound is the bound") {
  RandomSpec random;
  const std::array devices{overlapping_gpu(), small_gpu(), cpu(), caching_gpu()};
  const std::uint64_t trials = number_from("CONVOY_TEST_CASES", 2000) / 25;
  for (std::uint64_t trial = 0; trial < trials; ++trial) {
    const ConvolutionSpec spec = random.next();
    const Limits& limits = devices[trial % devices.size()];
    PlanOptions options;
    if (trial / devices.size() % 2 == 1) options.path = Path::staged;
    CAPTURE(to_text(spec.image));
    CAPTURE(to_text(spec.kernel));
    const Plan plan = make_plan(spec, limits, options);
    check_ledger(plan);
    const std::uint64_t bound = plan.smallest_footprint_bytes;

    std::uint64_t previous = plan.footprint_bytes;
    // Halfway to the bound again and again; the last 1/256 above it, where plans are those of the bound, in one step.
    const auto closer = [bound](std::uint64_t budget) {
      return budget - bound < bound / 256 ? bound : (budget + bound) / 2;
    };
    for (std::uint64_t budget = plan.footprint_bytes - 1; budget >= bound; budget = closer(budget)) {
      options.memory_limit_bytes = budget;
      const Plan smaller = make_plan(spec, limits, options);
      check_ledger(smaller);
      CHECK(smaller.budget_bytes == budget);
      CHECK(smaller.smallest_footprint_bytes == bound);
      CHECK(smaller.footprint_bytes <= previous);
      if (budget == bound) break;
      previous = budget;
    }
    options.memory_limit_bytes = bound;
    CHECK(make_plan(spec, limits, options).footprint_bytes == bound);
    options.memory_limit_bytes = bound - 1;
    CHECK_THROWS_AS(make_plan(spec, limits, options), OutOfMemory);
  }
}

TEST_CASE("out of memory names the bound, the budget and which limit it is") {
  const ConvolutionSpec spec = spec_of({128, 512, 512}, {128, 256, 256});
  const std::uint64_t bound = make_plan(spec, large_gpu()).smallest_footprint_bytes;
  try {
    make_plan(spec, large_gpu(), with_limit(1 << 20));
    FAIL("no error");
  } catch (const OutOfMemory& error) {
    CHECK(error.code() == Errc::out_of_memory);
    CHECK(error.requested_bytes() == bound);
    CHECK(error.limit_bytes() == 1 << 20);
    CHECK(error.limit_name() == "memory limit");
    const std::string text = error.what();
    CHECK(text.find("128x512x512") != std::string::npos);
    CHECK(text.find(bytes_to_text(bound)) != std::string::npos);
    CHECK(text.find("1.00 MiB") != std::string::npos);
  }
  Limits full = large_gpu();
  full.free_bytes = full.reserve_bytes;
  try {
    make_plan(spec, full);
    FAIL("no error");
  } catch (const OutOfMemory& error) {
    CHECK(error.limit_bytes() == 0);
    CHECK(error.limit_name() == "free device memory");
  }
}

TEST_CASE("the budget is the lower of memory limit and free bytes less reserve") {
  const ConvolutionSpec spec = spec_of({16, 16, 16}, {3, 3, 3});
  CHECK(make_plan(spec, large_gpu()).budget_bytes == 138ull << 30);
  CHECK(make_plan(spec, large_gpu(), with_limit(1 << 30)).budget_bytes == 1 << 30);
  CHECK(make_plan(spec, large_gpu(), with_limit(500ull << 30)).budget_bytes == 138ull << 30);
  CHECK(make_plan(spec, {}).budget_bytes == UINT64_MAX);
  CHECK(make_plan(spec, {}, with_limit(1 << 30)).budget_bytes == 1 << 30);
}

TEST_CASE("a deterministic plan counts on half of the device's memory, whatever is free") {
  const ConvolutionSpec spec = spec_of({200, 500, 600}, {9, 9, 9});
  Limits limits = small_gpu();
  PlanOptions options;
  options.deterministic = true;
  const Plan expected = make_plan(spec, limits, options);
  CHECK(expected.budget_bytes == limits.total_bytes / 2);
  for (const std::uint64_t part : {3, 8, 1000}) {
    limits.free_bytes = limits.total_bytes / part;
    limits.reserve_bytes = limits.free_bytes / 10;
    const Plan plan = make_plan(spec, limits, options);
    CHECK(plan.padded() == expected.padded());
    CHECK(plan.num_tiles() == expected.num_tiles());
    CHECK(plan.budget_bytes == expected.budget_bytes);
  }
  options.memory_limit_bytes = expected.footprint_bytes - 1;
  CHECK(make_plan(spec, limits, options).footprint_bytes < expected.footprint_bytes);
  CHECK(make_plan(spec, limits).num_tiles() > expected.num_tiles());  // what is free would have mattered
}

TEST_CASE("no buffer is larger than a binding or an allocation") {
  const ConvolutionSpec spec = spec_of({128, 512, 512}, {128, 256, 256});
  for (const std::uint64_t ceiling : {128ull << 20, 100ull << 20, 64ull << 20}) {
    for (const bool binding : {true, false}) {
      Limits limits = large_gpu();
      (binding ? limits.max_binding_bytes : limits.max_allocation_bytes) = ceiling;
      const Plan plan = make_plan(spec, limits);
      CHECK(plan.num_tiles() > 1);
      for (const Slot& slot : make_program(plan).slots) CHECK(slot.bytes <= ceiling);
      CHECK(plan.reasons.front().find(binding ? "largest binding" : "largest allocation") != std::string::npos);
    }
  }
  Limits limits = large_gpu();
  limits.max_binding_bytes = 1 << 20;
  try {
    make_plan(spec, limits);
    FAIL("no error");
  } catch (const OutOfMemory& error) {
    CHECK(error.limit_name() == "largest binding");
    CHECK(error.limit_bytes() == 1 << 20);
    CHECK(error.requested_bytes() > 1 << 20);
  }
}

TEST_CASE("kernels count elements with 32 bits, so larger images are cut") {
  const ConvolutionSpec spec = spec_of({2048, 2048, 2048}, {31, 31, 31});
  for (const Limits& limits : {large_gpu(), Limits{}}) {
    const Plan plan = make_plan(spec, limits);
    check_ledger(plan);
    CHECK(plan.num_tiles() > 1);
    for (const Slot& slot : make_program(plan).slots) CHECK(slot.bytes <= 4ull * UINT32_MAX);
  }
  const Plan below = make_plan(spec_of({1024, 1500, 1500}, {31, 31, 31}), large_gpu());
  CHECK(num_voxels(below.spec.image) > Index{1} << 31);
  CHECK(below.num_tiles() == 1);
}

TEST_CASE("images of any size are planned") {
  for (const Shape& image : {Shape{1, 1, Index{1} << 33}, Shape{1, Index{1} << 18, Index{1} << 18},
                             Shape{Index{1} << 14, Index{1} << 14, Index{1} << 14}}) {
    ConvolutionSpec spec = spec_of(image, {1, 1, 1});
    for (int axis = 0; axis < 3; ++axis) spec.kernel[axis] = image[axis] > 1 ? 65 : 1;
    for (const Limits& limits : {large_gpu(), small_gpu(), cpu()}) {
      const Plan plan = make_plan(spec, limits);
      check_ledger(plan);
      CHECK(plan.num_tiles() > 1);
    }
  }
}

TEST_CASE("time of the search") {
  const ConvolutionSpec spec = spec_of({2048, 2048, 2048}, {128, 128, 128});
  const auto begin = std::chrono::steady_clock::now();
  const Plan plan = make_plan(spec, large_gpu(), with_limit(2ull << 30));
  const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - begin;
  MESSAGE("2048x2048x2048 in " << plan.num_tiles() << " tiles: planned in " << elapsed.count() << " ms");
}

TEST_CASE("memory that device and host share is counted once: with what the host needs beside it, it fits") {
  ConvolutionSpec spec;
  spec.image = {400, 400, 400};
  spec.kernel = {31, 31, 31};
  PlanOptions options;
  options.streaming = Streaming{Element::f32, Element::f32, {16, 400, 400}, {16, 400, 400}};
  Limits discrete = overlapping_gpu();
  Limits integrated = discrete;
  integrated.memory_is_host = true;
  const auto bytes_of = [](const Plan& plan, const std::string& name) {
    std::uint64_t bytes = 0;
    for (const LedgerLine& line : plan.host_ledger) bytes += line.name == name ? line.bytes : 0;
    return bytes;
  };
  const Plan apart = make_plan(spec, discrete, options);
  CHECK(bytes_of(apart, "device memory") == 0);
  const Plan shared = make_plan(spec, integrated, options);
  CHECK(bytes_of(shared, "device memory") == shared.footprint_bytes);
  CHECK(shared.host_bytes > shared.footprint_bytes);

  // Apart, the host's limit is for the host alone; shared, for both together.
  options.host_memory_limit_bytes = apart.footprint_bytes + apart.host_bytes / 2;
  REQUIRE(apart.host_bytes <= options.host_memory_limit_bytes);
  const Plan limited_apart = make_plan(spec, discrete, options);
  const Plan limited_shared = make_plan(spec, integrated, options);
  CHECK(limited_apart.host_bytes + limited_apart.footprint_bytes > options.host_memory_limit_bytes);
  CHECK(limited_shared.host_bytes <= options.host_memory_limit_bytes);
  CHECK(limited_shared.footprint_bytes < limited_shared.host_bytes);
}
