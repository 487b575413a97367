// Every kernel as a Vulkan shader, through glslang in process.
#include <doctest/doctest.h>

#include <cstdio>

#include "kernels/dialects.hpp"
#ifdef CONVOY_HAS_GLSLANG
#include "backends/vulkan/glsl_compiler.hpp"
#include "convoy/error.hpp"
#endif

using namespace convoy;

TEST_CASE("GLSL: every kernel compiles to SPIR-V in both precisions") {
#ifdef CONVOY_HAS_GLSLANG
  constexpr std::uint32_t kSpirvMagic = 0x07230203;
  for (const KernelSpec* kernel : kernels::all()) {
    for (const Precision precision : {Precision::f32, Precision::f64}) {
      CAPTURE(kernel->name);
      const auto code = backend::vulkan::compile_glsl({to_glsl(*kernel, precision)}, kernel->name);
      REQUIRE_FALSE(code.empty());
      CHECK(code.front() == kSpirvMagic);
    }
  }
  CHECK_THROWS_WITH_AS(backend::vulkan::compile_glsl({"#version 450\nvoid main() { nonsense; }\n"}, "nonsense"),
                       doctest::Contains("nonsense"), Error);
#else
  std::puts("SKIPPED: this build has no glslang");
#endif
}
