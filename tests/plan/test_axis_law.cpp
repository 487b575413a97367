// Whatever the plan says about an axis must compute exactly what the definition says.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "plan/direct_axis.hpp"
#include "planner/axis.hpp"
#include "planner/origin.hpp"

using namespace convoy;
using namespace convoy::test;

namespace {

class RandomAxis {
 public:
  explicit RandomAxis(unsigned seed) : random_(seed) {}

  Index between(Index low, Index high) { return std::uniform_int_distribution<Index>(low, high)(random_); }

  Signal signal(Index size) {
    Signal values(static_cast<std::size_t>(size));
    for (long& value : values) value = between(-9, 9);
    return values;
  }

  ConvolutionSpec spec(int axis, Index n, Index k) {
    ConvolutionSpec spec;
    spec.image[axis] = n;
    spec.kernel[axis] = k;
    spec.mode = static_cast<Mode>(between(0, 3));
    spec.operation = static_cast<Operation>(between(0, 2));
    const bool full_reads = spec.mode == Mode::full && spec.operation != Operation::correlate;
    if (spec.mode == Mode::same || full_reads) spec.boundary = kAllBoundaries[between(0, kAllBoundaries.size() - 1)];
    if (spec.boundary == Boundary::constant) spec.constant = static_cast<double>(between(-2, 2));
    if (spec.operation == Operation::correlate) spec.constant = 0;  // else there is no adjoint
    spec.origin.rule = static_cast<Origin::Rule>(between(0, 2));
    if (between(0, 1) == 1) spec.origin = Origin::at(at_axis(axis, between(0, k - 1)));
    return spec;
  }

 private:
  static Shape at_axis(int axis, Index position) {
    Shape shape{0, 0, 0};
    shape[axis] = position;
    return shape;
  }

  std::mt19937 random_;
};

Limits some_device(Index kind) {
  Limits limits;
  if (kind == 1) limits.shared_memory_bytes = 1 << 14;
  if (kind == 2) limits.shared_memory_bytes = 64 * 8;
  if (kind >= 1) limits.coalesced_bytes = 8;
  return limits;
}

std::string describe(const ConvolutionSpec& spec, int axis, const AxisPlan& plan) {
  return std::string(name(spec.operation)) + " " + name(spec.mode) + " " + name(spec.boundary) + " origin " +
         std::to_string(resolve_origin(spec, nullptr)[axis]) + " n " + std::to_string(plan.image) + " k " +
         std::to_string(plan.kernel) + " tiles " + std::to_string(plan.num_tiles) + " P " + std::to_string(plan.padded);
}

/// The other axes must be idle.
void check_idle(const AxisPlan& plan) {
  CHECK(plan.padded == 1);
  CHECK(plan.extent == 1);
  CHECK(plan.num_tiles == 1);
}

void check_covers_output_once(const AxisPlan& plan) {
  CHECK(plan.num_tiles * plan.tile_output >= plan.output);
  CHECK((plan.num_tiles - 1) * plan.tile_output < plan.output);
}

bool one_short_is_wrong(const ConvolutionSpec& spec, AxisPlan plan, const Signal& image, const Signal& kernel,
                        const Signal& expected) {
  plan.padded = required_period(plan) - 1;
  if (plan.padded < 1) return true;
  return on_device(image, kernel, plan, spec) != expected;
}

}  // namespace

TEST_CASE("every axis plan computes its convolution exactly") {
  RandomAxis random(20240611);
  Index num_split = 0;
  Index num_periodic = 0;
  Index num_folded_kernels = 0;
  Index num_folded_outputs = 0;
  for (int trial = 0; trial < 20000; ++trial) {
    const int axis = trial % 3;
    const Index n = random.between(1, 24);
    const Index k = random.between(1, trial % 2 == 0 ? 8 : 60);
    const ConvolutionSpec spec = random.spec(axis, n, k);
    PlanOptions options;
    options.method = Method::fft;
    if (random.between(0, 1) == 0) options.path = Path::staged;
    options.min_tiles = random.between(0, 1) == 1 ? 1 : random.between(1, n);
    if (spec.mode == Mode::valid) options.min_tiles = std::min(options.min_tiles, output_shape(spec)[axis]);
    const Limits limits = some_device(random.between(0, 2));

    const Plan plan = make_plan(spec, limits, options);
    const AxisPlan& a = plan.axes[axis];
    CAPTURE(describe(spec, axis, a));
    const Signal image = random.signal(n);
    const Signal kernel = random.signal(k);
    Signal output = on_device(image, kernel, a, spec);
    if (plan.fold_output) output = folded_back(output, a, spec);
    REQUIRE(output == direct(image, kernel, resolve_origin(spec, nullptr)[axis], spec));

    REQUIRE(is_smooth(a.padded));
    REQUIRE(a.padded >= required_period(a));
    REQUIRE(a.extent == std::max(a.tile_input, a.tile_output));
    REQUIRE(a.padded >= a.extent);
    REQUIRE(a.num_tiles >= options.min_tiles);
    check_covers_output_once(a);
    check_idle(plan.axes[(axis + 1) % 3]);
    check_idle(plan.axes[(axis + 2) % 3]);
    num_split += a.num_tiles > 1;
    num_periodic += a.periodic;
    num_folded_kernels += a.fold_kernel;
    num_folded_outputs += plan.fold_output;
  }
  CHECK(num_split > 1000);
  CHECK(num_periodic > 1000);
  CHECK(num_folded_kernels > 1000);
  CHECK(num_folded_outputs > 500);
}

TEST_CASE("every option of an axis computes its convolution exactly") {
  RandomAxis random(7);
  for (int trial = 0; trial < 1500; ++trial) {
    const Index n = random.between(1, 20);
    const Index k = random.between(1, 30);
    const ConvolutionSpec spec = random.spec(2, n, k);
    const AxisTask task = axis_task(spec, 2);
    const TransformLengths lengths(some_device(trial % 3), Precision::f32, true, longest_needed(task));
    const Signal image = random.signal(n);
    const Signal kernel = random.signal(k);
    const Signal expected = direct(image, kernel, resolve_origin(spec, nullptr)[2], spec);
    for (const AxisPlan& option : axis_options(task, lengths, {trial % 2 == 0, 1 + trial % 5})) {
      CAPTURE(describe(spec, 2, option));
      Signal output = on_device(image, kernel, option, spec);
      if (folds_output(spec)) output = folded_back(output, option, spec);
      REQUIRE(output == expected);
      check_covers_output_once(option);
    }
  }
}

TEST_CASE("an unsplit axis is padded by the law, and one voxel less is wrong") {
  for (Index n = 1; n <= 12; ++n) {
    for (Index k = 2; k <= 16; ++k) {
      for (Index origin = 0; origin < k; ++origin) {
        ConvolutionSpec spec;
        spec.image = {1, 1, n};
        spec.kernel = {1, 1, k};
        spec.origin = Origin::at({0, 0, origin});
        PlanOptions options;
        options.method = Method::fft;
        const AxisPlan plan = make_plan(spec, {}, options).axes[2];
        const Index left = std::min(origin, n - 1);
        const Index right = std::min(k - 1 - origin, n - 1);
        CAPTURE(describe(spec, 2, plan));
        REQUIRE(plan.num_tiles == 1);
        REQUIRE(required_period(plan) == n + std::max(left, right));
        const Signal ones(static_cast<std::size_t>(n), 1);
        const Signal kernel(static_cast<std::size_t>(k), 1);
        CHECK((n == 1 || one_short_is_wrong(spec, plan, ones, kernel, direct(ones, kernel, origin, spec))));
      }
    }
  }
}

TEST_CASE("least padding of the other modes") {
  const auto required = [](Mode mode, Index n, Index k) {
    ConvolutionSpec spec;
    spec.image = {1, 1, n};
    spec.kernel = {1, 1, k};
    spec.mode = mode;
    PlanOptions options;
    options.method = Method::fft;
    return required_period(make_plan(spec, {}, options).axes[2]);
  };
  CHECK(required(Mode::full, 100, 31) == 130);
  CHECK(required(Mode::valid, 100, 31) == 100);
  CHECK(required(Mode::valid, 31, 100) == 100);
  CHECK(required(Mode::circular, 100, 31) == 100);
  CHECK(required(Mode::circular, 100, 310) == 100);
  CHECK(required(Mode::circular, 101, 31) == 131);
  CHECK(required(Mode::same, 512, 65) == 544);
  CHECK(required(Mode::same, 512, 64) == 544);
}
