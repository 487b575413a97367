#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "convoy/deconvolution.hpp"
#include "convoy/error.hpp"
#include "convoy/plan.hpp"
#include "devices.hpp"
#include "problems.hpp"

using namespace convoy;
using test::spec_of;

namespace {

const LedgerLine& line_of(const Plan& plan, const std::string& name) {
  return *std::find_if(plan.ledger.begin(), plan.ledger.end(),
                       [&](const LedgerLine& line) { return line.name == name; });
}

std::uint64_t spectrum_bytes(const Plan& plan) { return line_of(plan, "kernel spectrum").bytes; }

Index last_axis(const Plan& plan) { return plan.device_axes[static_cast<std::size_t>(plan.num_transforms - 1)]; }

PlanOptions storing(FilterStorage storage) {
  PlanOptions options;
  options.resident = true;
  options.tuning.filter_storage = storage;
  return options;
}

Plan plan_of(const ConvolutionSpec& spec, const Limits& limits, FilterStorage storage) {
  return make_plan(spec, limits, storing(storage));
}

const ConvolutionSpec kCube = spec_of({512, 512, 512}, {65, 65, 65});

}  // namespace

TEST_CASE("a compact kernel takes its own extent along the last axis instead of the transform's") {
  const Plan whole = plan_of(kCube, test::caching_gpu(), FilterStorage::spectrum);
  const Plan compact = plan_of(kCube, test::caching_gpu(), FilterStorage::compact);
  REQUIRE(whole.padded() == compact.padded());
  CHECK(whole.kernel_extent == 0);
  CHECK(compact.kernel_extent == 65);
  const auto padded = static_cast<std::uint64_t>(compact.axes[static_cast<std::size_t>(last_axis(compact))].padded);
  CHECK(spectrum_bytes(compact) * padded == spectrum_bytes(whole) * 65);
  CHECK(compact.footprint_bytes == whole.footprint_bytes - spectrum_bytes(whole) + spectrum_bytes(compact));
  CHECK(compact.traffic_bytes < whole.traffic_bytes);
  CHECK(line_of(compact, "kernel spectrum").note.find("not transformed along") != std::string::npos);
  const auto says_so = [](const std::string& reason) {
    return reason.find("spectrum is not kept") != std::string::npos;
  };
  CHECK(std::ranges::any_of(compact.reasons, says_so));
  CHECK(std::ranges::none_of(whole.reasons, says_so));
}

TEST_CASE("what takes less time is kept: the slower the memory, the more kernels are compact") {
  const auto is_compact = [](double memory_bytes_per_second, Index kernel) {
    Limits limits = test::caching_gpu();
    limits.memory_bytes_per_second = memory_bytes_per_second;
    return plan_of(spec_of({512, 512, 512}, {kernel, 65, 65}), limits, FilterStorage::automatic).kernel_extent > 0;
  };
  CHECK(is_compact(3e12, 65));
  CHECK_FALSE(is_compact(2e13, 65));
  CHECK_FALSE(is_compact(3e12, 200));
  CHECK(is_compact(5e11, 101));
}

TEST_CASE("the spectrum is kept where nothing says that it takes longer") {
  Limits limits = test::caching_gpu();
  limits.workgroups_may_wait = false;
  CHECK(plan_of(kCube, limits, FilterStorage::automatic).kernel_extent == 0);
  CHECK(plan_of(kCube, limits, FilterStorage::compact).predicted_seconds >
        plan_of(kCube, limits, FilterStorage::spectrum).predicted_seconds);
  ConvolutionSpec spec = kCube;
  spec.precision = Precision::f64;
  CHECK(plan_of(spec, test::caching_gpu(), FilterStorage::automatic).kernel_extent == 0);
  CHECK(make_plan(kCube, test::cpu()).kernel_extent == 0);
}

TEST_CASE("a compact kernel spares tiles where the spectrum does not fit") {
  Limits limits = test::caching_gpu();
  limits.workgroups_may_wait = false;
  PlanOptions options = storing(FilterStorage::automatic);
  options.memory_limit_bytes = make_plan(kCube, limits, options).footprint_bytes - 1;
  options.choice = PlanChoice{plan_of(kCube, limits, FilterStorage::spectrum).padded(), {1, 1, 1}, {}};
  const Plan plan = make_plan(kCube, limits, options);
  CHECK(plan.kernel_extent == 65);
  CHECK(plan.footprint_bytes <= options.memory_limit_bytes);
  options.choice->tuning.filter_storage = FilterStorage::spectrum;
  CHECK_THROWS_AS(make_plan(kCube, limits, options), Error);
}

TEST_CASE("kernels longer than half of the transform, and other paths, keep the spectrum") {
  CHECK(plan_of(spec_of({128, 512, 512}, {128, 256, 256}), test::caching_gpu(), FilterStorage::compact).kernel_extent ==
        0);
  PlanOptions fused = storing(FilterStorage::compact);
  fused.path = Path::fused;
  CHECK(make_plan(kCube, test::caching_gpu(), fused).kernel_extent == 0);
}

TEST_CASE("deconvolution keeps its PSF compact, too, but for a filter that is made of the spectrum") {
  DeconvolutionSpec spec;
  spec.image = {256, 512, 512};
  spec.psf = {33, 41, 41};
  spec.edges = Edges::zero;
  PlanOptions options;
  options.tuning.filter_storage = FilterStorage::compact;
  const DeconvolutionPlan iterative = make_plan(spec, test::caching_gpu(), options);
  CHECK(iterative.convolution.kernel_extent > 0);
  spec.algorithm = Algorithm::wiener;
  spec.wiener_noise = 0.1;
  CHECK(make_plan(spec, test::caching_gpu(), options).convolution.kernel_extent == 0);
}
