#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "convoy/plan.hpp"
#include "plan/devices.hpp"
#include "program/program.hpp"

using namespace convoy;
using namespace convoy::test;

TEST_CASE("the tutorial's exercise in half a gibibyte, as a program") {
  ConvolutionSpec spec;
  spec.image = {128, 512, 512};
  spec.kernel = {128, 256, 256};
  PlanOptions options;
  options.path = Path::fused;
  options.memory_limit_bytes = 512 << 20;
  options.piece_bytes = 64 << 20;
  const std::string expected = R"(slot image 111673344 B
slot work 154140672 B
slot spectrum 231211008 B
port kernel 33554432 B, setup
port input 111673344 B, run
port output 44826624 B, run
setup Clear spectrum
setup Upload kernel -> work: 1 x 33554432 B
setup Dispatch place_kernel f32 threads 256x256x128 on work spectrum: size_x=256 size_y=256 size_z=128 shift_x=512 shift_y=193 shift_z=128 padded_x=640 padded_y=448 padded_z=192 pitch=672 plane_rows=448 number=0
setup TransformKernel spectrum using work: fused f32 128x426x512 in 192x448x640, row pitch 336
run Upload input -> image: 1 x 66306048 B
run Upload input -> image: 1 x 45367296 B, port offset 66306048 B, slot offset 66306048 B
run Convolve image with spectrum using work: fused f32 128x426x512 in 192x448x640, row pitch 336
run Download image -> output: 76 x 350208 B, pitch 872448 B
run Download image -> output: 52 x 350208 B, pitch 872448 B, port offset 26615808 B, slot offset 66306048 B
sets 1
)";
  CHECK(to_text(make_program(make_plan(spec, large_gpu(), options))) == expected);
}

TEST_CASE("a staged line in double precision, as a program") {
  ConvolutionSpec spec;
  spec.image = {1, 1, 100};
  spec.kernel = {1, 1, 31};
  spec.mode = Mode::full;
  spec.precision = Precision::f64;
  PlanOptions options;
  options.path = Path::staged;
  const std::string expected = R"(slot image 1040 B
slot work 1120 B
slot spectrum 1120 B
port kernel 248 B, setup
port input 1040 B, run
port output 1040 B, run
setup Clear spectrum
setup Upload kernel -> work: 1 x 248 B
setup Dispatch place_kernel f64 threads 31x1x1 on work spectrum: size_x=31 size_y=1 size_z=1 shift_x=0 shift_y=0 shift_z=0 padded_x=132 padded_y=1 padded_z=1 pitch=140 plane_rows=1 number=0
setup TransformKernel spectrum using work: staged f64 130 in 132, row pitch 70
setup Clear work
run Upload input -> image: 1 x 1040 B
run Convolve image with spectrum using work: staged f64 130 in 132, row pitch 70
run Download image -> output: 1 x 1040 B
sets 1
)";
  CHECK(to_text(make_program(make_plan(spec, cpu(), options))) == expected);
}

TEST_CASE("steps have names") {
  CHECK(std::string(name(Step(Upload{}))) == "Upload");
  CHECK(std::string(name(Step(Download{}))) == "Download");
  CHECK(std::string(name(Step(Clear{}))) == "Clear");
  CHECK(std::string(name(Step(Dispatch{}))) == "Dispatch");
  CHECK(std::string(name(Step(TransformKernel{}))) == "TransformKernel");
  CHECK(std::string(name(Step(Convolve{}))) == "Convolve");
}

namespace {

/// What a run does, step by step: "upload", "download", or the kernel's name up to its first length.
std::vector<std::string> run_of(const Program& program) {
  std::vector<std::string> names;
  for (const Step& step : program.run) {
    const auto* dispatch = std::get_if<Dispatch>(&step);
    const std::string text = dispatch != nullptr ? dispatch->kernel->name : name(step);
    names.push_back(text.substr(0, text.find_first_of("0123456789")));
  }
  return names;
}

/// Planes that the dispatches of this kernel do, in their order.
std::vector<Index> planes_of(const Program& program, const std::string& kernel) {
  std::vector<Index> planes;
  for (const Step& step : program.run) {
    const auto* dispatch = std::get_if<Dispatch>(&step);
    if (dispatch == nullptr || !dispatch->kernel->name.starts_with(kernel)) continue;
    const Index first = dispatch->parameters.at(2).bits;
    for (Index plane = 0; plane < Index{dispatch->parameters.at(3).bits}; ++plane) planes.push_back(first + plane);
  }
  return planes;
}

ConvolutionSpec stack_spec() {
  ConvolutionSpec spec;
  spec.image = {10, 256, 256};
  spec.kernel = {5, 31, 31};
  return spec;
}

}  // namespace

TEST_CASE("planes of a single tile are computed as its pieces come and go") {
  PlanOptions options;
  options.piece_bytes = 4 * 256 * 256 * 4;  // four planes
  const Plan plan = make_plan(stack_spec(), caching_gpu(), options);
  REQUIRE(plan.num_in_flight == 1);
  const Program program = make_program(plan);
  const std::vector<std::string> expected{"Upload",   "planes_forward_", "Upload",           "planes_forward_",
                                          "Upload",   "planes_forward_", "columns_product_", "planes_inverse_",
                                          "Download", "planes_inverse_", "Download",         "planes_inverse_",
                                          "Download"};
  CHECK(run_of(program) == expected);
  const std::vector<Index> all{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  CHECK(planes_of(program, "planes_forward") == all);
  CHECK(planes_of(program, "planes_inverse") == all);
  CHECK(program.slots.front().per_tile_in_flight);
  CHECK(program.footprint_bytes() == plan.footprint_bytes);
}

TEST_CASE("several tiles in flight, and devices without copies beside computing, take tiles whole") {
  PlanOptions options;
  options.piece_bytes = 4 * 256 * 256 * 4;
  const std::vector<std::string> whole{"Upload",          "Upload",   "Upload",   "planes_forward_", "columns_product_",
                                       "planes_inverse_", "Download", "Download", "Download"};
  Limits limits = caching_gpu();
  limits.transfers_overlap = false;
  CHECK(run_of(make_program(make_plan(stack_spec(), limits, options))) == whole);

  options.min_tiles = 4;
  options.min_sets = 2;
  const Program in_flight = make_program(make_plan(stack_spec(), caching_gpu(), options));
  CHECK(in_flight.num_in_flight > 1);
  CHECK(std::ranges::count(run_of(in_flight), "planes_forward_") == 1);
}

TEST_CASE("rows and columns go in one launch only where the cache is known, fast and large enough") {
  PlanOptions options;
  options.resident = true;
  const auto first_pass = [&](const Limits& limits) {
    return run_of(make_program(make_plan(stack_spec(), limits, options))).at(1);
  };
  CHECK(first_pass(caching_gpu()) == "planes_forward_");
  Limits limits = caching_gpu();
  limits.workgroups_may_wait = false;
  CHECK(first_pass(limits) == "rows_forward_");
  limits = caching_gpu();
  limits.memory_bytes_per_second = 8e12;
  CHECK(first_pass(limits) == "rows_forward_");
  limits = caching_gpu();
  limits.cache_bytes = 1 << 20;
  CHECK(first_pass(limits) == "rows_forward_");
}
