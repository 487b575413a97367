// Tiles or a split transform: the one that is predicted to take less time, whatever the memory.
#include <doctest/doctest.h>

#include "convoy/error.hpp"
#include "dif_split/plan.hpp"
#include "plan/devices.hpp"
#include "plan/problems.hpp"
#include "planner/cost.hpp"
#include "program/program.hpp"

using namespace convoy;
using namespace convoy::test;

namespace {

/// CPUs report a rate, as the backend does.
Limits rated_cpu() {
  Limits limits = cpu();
  limits.memory_bytes_per_second = 6e9;
  limits.memory_is_host = true;
  return limits;
}

std::optional<Plan> tiles_of(const ConvolutionSpec& spec, const Limits& limits, const PlanOptions& options) {
  try {
    return make_plan(spec, limits, options);
  } catch (const Error& problem) {
    if (problem.code() != Errc::out_of_memory && problem.code() != Errc::unsupported) throw;
    return {};
  }
}

std::optional<TransformSplit> chosen_split(const ConvolutionSpec& spec, const Limits& limits,
                                           const PlanOptions& options) {
  const auto tiles = tiles_of(spec, limits, options);
  return better_split(spec, limits, options, tiles ? &*tiles : nullptr);
}

bool says(const Plan& plan, const std::string& words) {
  for (const std::string& reason : plan.reasons) {
    if (reason.find(words) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a plan's modelled time is the predicted one, where there is a prediction") {
  for (const std::uint64_t limit : {std::uint64_t{0}, std::uint64_t{1} << 30, std::uint64_t{200} << 20}) {
    const Plan plan = make_plan(spec_of({512, 300, 400}, {31, 31, 31}), overlapping_gpu(), with_limit(limit));
    CHECK(run_seconds(plan) == doctest::Approx(plan.predicted_seconds));
  }
  const Plan guessed = make_plan(spec_of({64, 64, 64}, {9, 9, 9}), cpu());
  CHECK(guessed.predicted_seconds == 0);
  CHECK(run_seconds(guessed) > 0);
}

TEST_CASE("a kernel as large as the image never goes in thousands of tiles where a split transform fits") {
  const ConvolutionSpec spec = spec_of({32, 64, 64}, {32, 64, 64});
  for (const Limits& limits : {rated_cpu(), cpu(), overlapping_gpu()}) {
    const Plan whole = make_plan(spec, limits);
    int num_splits = 0;
    for (int step = 0; step <= 20; ++step) {
      const std::uint64_t low = whole.smallest_footprint_bytes / 4;
      const auto options = with_limit(low + (whole.footprint_bytes - low) * static_cast<std::uint64_t>(step) / 20);
      CAPTURE(options.memory_limit_bytes);
      const auto tiles = tiles_of(spec, limits, options);
      const auto split = better_split(spec, limits, options, tiles ? &*tiles : nullptr);
      if (split) {
        ++num_splits;
        CHECK(split->part_plan.footprint_bytes <= options.memory_limit_bytes);
        CHECK(split->part_plan.num_tiles() == 1);
        if (tiles) CHECK(split->seconds < run_seconds(*tiles));
      } else {
        REQUIRE(tiles);
        CHECK(tiles->num_tiles() < 1000);
        const auto other = split_transform(spec, limits, options);
        CHECK((!other || run_seconds(*tiles) < 1.5 * other->seconds));
      }
    }
    CHECK(num_splits > 5);
  }
}

TEST_CASE("where nothing better fits, the plan says what memory would make it fast") {
  const ConvolutionSpec spec = spec_of({32, 64, 64}, {32, 64, 64});
  const Limits limits = rated_cpu();
  const Plan whole = make_plan(spec, limits);
  CHECK_FALSE(says(whole, "times as long as with"));
  const Plan slow = make_plan(spec, limits, with_limit(whole.smallest_footprint_bytes));
  REQUIRE(slow.num_tiles() > 10000);
  REQUIRE(says(slow, "times as long as with"));
  PlanOptions no_room_for_sums = with_limit(whole.smallest_footprint_bytes);
  CHECK(better_split(spec, limits, no_room_for_sums, &slow));
  no_room_for_sums.host_memory_limit_bytes = 4 * static_cast<std::uint64_t>(num_voxels(spec.image));
  CHECK_FALSE(better_split(spec, limits, no_room_for_sums, &slow));
  // The memory that it names: 1.5 times the fastest at most.
  std::uint64_t named = 0;
  for (const std::string& reason : slow.reasons) {
    const auto at = reason.find(" times as long as with ");
    if (at == std::string::npos) continue;
    const std::string rest = reason.substr(at + std::string(" times as long as with ").size());
    named = bytes_from_text(rest.substr(0, rest.find(" in place")));
  }
  REQUIRE(named > whole.smallest_footprint_bytes);
  const Plan fast = make_plan(spec, limits, with_limit(named + named / 100));  // printed in three digits
  CHECK(run_seconds(fast) < 2 * run_seconds(whole));
  CHECK(run_seconds(slow) > 4 * run_seconds(fast));
}

TEST_CASE("small kernels, resident images and tiles that were asked for are not split") {
  const Limits limits = overlapping_gpu();
  const auto options = with_limit(std::uint64_t{4500} << 20);
  CHECK_FALSE(chosen_split(spec_of({1024, 1024, 1024}, {33, 33, 33}), limits, options));
  const ConvolutionSpec spec = spec_of({700, 700, 700}, {690, 690, 690});
  const auto split = chosen_split(spec, limits, options);
  REQUIRE(split);
  CHECK(split->part_plan.footprint_bytes <= options.memory_limit_bytes);
  const auto refused = [&](const auto& change) {
    PlanOptions changed = options;
    change(changed);
    return !chosen_split(spec, limits, changed);
  };
  CHECK(refused([](PlanOptions& o) { o.min_tiles = 2; }));
  CHECK(refused([](PlanOptions& o) { o.tune = Tune::off; }));
  CHECK(refused([](PlanOptions& o) { o.resident = true; }));
  CHECK(refused([](PlanOptions& o) { o.host_memory_limit_bytes = std::uint64_t{1} << 30; }));
  ConvolutionSpec folded = spec;
  folded.operation = Operation::correlate;
  folded.boundary = Boundary::reflect;
  CHECK_FALSE(split_transform(folded, limits, options));
}

TEST_CASE("the axis that serves best is split") {
  const Limits limits = overlapping_gpu();
  const auto axis_of = [&](const Shape& image, const Shape& kernel, std::uint64_t memory) {
    const auto split = chosen_split(spec_of(image, kernel), limits, with_limit(memory));
    REQUIRE(split);
    const AxisPlan& axis = split->whole.axes[static_cast<std::size_t>(split->axis)];
    CHECK(axis.padded == split->num_parts * split->part.image[split->axis]);
    CHECK(split->num_parts % 2 == 1);
    for (int other = 0; other < 3; ++other) {
      if (other != split->axis)
        CHECK(split->part.image[other] == split->whole.axes[static_cast<std::size_t>(other)].padded);
    }
    return split->axis;
  };
  CHECK(axis_of({1, 20000, 3000}, {1, 19000, 2900}, std::uint64_t{400} << 20) == 1);
  CHECK(axis_of({1, 1, 40000}, {1, 1, 39000}, 400 << 10) == 2);
  CHECK(axis_of({2, 3, 20000}, {2, 3, 19000}, 1 << 20) == 2);
  CHECK(axis_of({3000, 300, 300}, {2900, 290, 290}, std::uint64_t{1} << 30) == 0);
}

TEST_CASE("several devices get parts enough, and gain time by them") {
  const ConvolutionSpec spec = spec_of({700, 700, 700}, {690, 690, 690});
  PlanOptions options = with_limit(std::uint64_t{16} << 30);
  const auto alone = split_transform(spec, overlapping_gpu(), options);
  options.num_devices = 4;
  const auto shared = split_transform(spec, overlapping_gpu(), options);
  REQUIRE(alone);
  REQUIRE(shared);
  CHECK(alone->num_convolutions() == 4);
  CHECK(shared->num_convolutions() == 4);
  CHECK(shared->seconds < alone->seconds);
  CHECK(shared->host_bytes > alone->host_bytes);
  options.num_devices = 6;
  const auto more = split_transform(spec, overlapping_gpu(), options);
  REQUIRE(more);
  CHECK(more->num_convolutions() >= 6);
}

namespace {

Limits threads_of_host(std::uint64_t num_threads) {
  Limits limits = cpu();
  limits.memory_is_host = true;
  limits.num_host_threads = num_threads;
  limits.memory_bytes_per_second = 8e9;
  return limits;
}

Plan planned(const Shape& image, const Shape& kernel, const Limits& limits, const PlanOptions& options = {}) {
  ConvolutionSpec spec;
  spec.image = image;
  spec.kernel = kernel;
  return make_plan(spec, limits, options);
}

}  // namespace

TEST_CASE("on the host, long and large images are cut into tiles that stay in caches, one for each thread") {
  for (const std::uint64_t num_threads : {2, 8}) {
    const Limits limits = threads_of_host(num_threads);
    for (const auto& [image, kernel] :
         {std::pair(Shape{1, 1, 10'000'000}, Shape{1, 1, 101}), std::pair(Shape{1, 1, 10'000'000}, Shape{1, 1, 1001}),
          std::pair(Shape{1, 2048, 2048}, Shape{1, 3, 3}), std::pair(Shape{1, 2048, 2048}, Shape{1, 31, 31})}) {
      const Plan plan = planned(image, kernel, limits);
      CAPTURE(to_text(plan));
      CHECK(plan.num_in_flight == static_cast<int>(num_threads));
      CHECK(plan.footprint_bytes <= num_threads * (3 << 20));
      CHECK(plan.footprint_bytes == make_program(plan).footprint_bytes());
    }
  }
}

TEST_CASE("threads share a tile where there is one, and where tiles must come in order or not depend on threads") {
  const Limits limits = threads_of_host(2);
  CHECK(planned({1, 20, 20}, {1, 3, 3}, limits).num_in_flight == 1);
  const Shape image{1, 1, 10'000'000}, kernel{1, 1, 101};
  PlanOptions options;
  options.deterministic = true;
  CHECK(planned(image, kernel, limits, options).num_in_flight == 1);
  options = {};
  options.streaming = Streaming{};
  CHECK(planned(image, kernel, limits, options).num_in_flight == 1);
  options = {};
  options.max_sets = 1;
  CHECK(planned(image, kernel, limits, options).num_in_flight == 1);
  options = {};
  options.num_devices = 2;
  CHECK(planned(image, kernel, limits, options).num_in_flight == 1);
}
