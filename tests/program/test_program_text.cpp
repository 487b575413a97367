#include <doctest/doctest.h>

#include "plan/devices.hpp"
#include "program/program.hpp"

using namespace convoy;
using namespace convoy::test;

TEST_CASE("the tutorial's exercise in half a gibibyte, as a program") {
  ConvolutionSpec spec;
  spec.image = {128, 512, 512};
  spec.kernel = {128, 256, 256};
  PlanOptions options;
  options.allow_native = false;
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
setup Dispatch place_kernel f32 threads 256x256x128 on work spectrum: size_x=256 size_y=256 size_z=128 shift_x=512 shift_y=193 shift_z=128 padded_x=640 padded_y=448 padded_z=192 pitch=672 plane_rows=448
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
  options.allow_fused = false;
  const std::string expected = R"(slot image 1040 B
slot work 1056 B
slot spectrum 1056 B
port kernel 248 B, setup
port input 1040 B, run
port output 1040 B, run
setup Clear spectrum
setup Upload kernel -> work: 1 x 248 B
setup Dispatch place_kernel f64 threads 31x1x1 on work spectrum: size_x=31 size_y=1 size_z=1 shift_x=0 shift_y=0 shift_z=0 padded_x=130 padded_y=1 padded_z=1 pitch=132 plane_rows=1
setup TransformKernel spectrum using work: staged f64 130 in 130, row pitch 66
run Upload input -> image: 1 x 1040 B
run Convolve image with spectrum using work: staged f64 130 in 130, row pitch 66
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
