// The kernels of the plans that the benchmark cases get, at full size: loads each plan on a HIP stand-in that executes
// nothing and writes down the text of every kernel it is given (HIPEMU_EXEC=0, HIPEMU_DUMP).
#include <doctest/doctest.h>

#include "backends/backend.hpp"
#include "benchmarks/bench_case.hpp"
#include "planner/origin.hpp"
#include "support/device_under_test.hpp"

using namespace convoy;

TEST_CASE("every benchmark case has plans, own and VkFFT's, whose kernels are handed to the compiler") {
  const Device device = device_under_test();
  for (const bench::BenchCase& one : bench::standard_cases()) {
    CAPTURE(one.name);
    ConvolutionSpec spec;
    spec.image = one.image;
    spec.kernel = one.kernel;
    spec.mode = one.mode;
    spec.origin = Origin::at(resolve_origin(spec, nullptr));
    const Plan native = make_plan(spec, device.limits());
    CHECK(native.path == Path::native);
    implementation_of(device).load(make_program(native), {});
    PlanOptions options;
    options.path = Path::fused;
    const Plan plan = make_plan(spec, device.limits(), options);
    CHECK(plan.path == Path::fused);
    // Everything is compiled before the self-test, which must fail where nothing is executed.
    CHECK_THROWS_WITH_AS(implementation_of(device).load(make_program(plan), {}), doctest::Contains("self-test failed"),
                         Error);
  }
}
