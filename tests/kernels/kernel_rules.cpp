// The rules of kernel_spec.hpp, read from the texts. Legal C++ is checked by the CPU backend's build.
#include <doctest/doctest.h>

#include <regex>
#include <set>
#include <sstream>

#include "kernels/kernel_spec.hpp"

using namespace convoy;

TEST_CASE("rules: every body keeps to what all dialects share") {
  for (const KernelSpec* kernel : kernels::all()) {
    CAPTURE(kernel->name);
    const std::string& body = kernel->body;
    CHECK_FALSE(std::regex_search(body, std::regex(R"((^|\n)\s*#)")));  // preprocessor lines
    CHECK_FALSE(std::regex_search(body, std::regex(R"(->|&\w|\*\s*\w+\s*=[^=]|\w\s*\*\s*const)")));  // pointers
    CHECK_FALSE(std::regex_search(body, std::regex(R"(\b(long|int64_t|uint64_t|size_t|unsigned|float|double)\b)")));
    CHECK_FALSE(std::regex_search(body, std::regex(R"(\(\s*(uint|int|real|real2)\s*\)\s*\w)")));  // casts of C
    CHECK_FALSE(std::regex_search(body, std::regex(R"(\breal2\s*\()")));  // CUDA has no such constructor
  }
}

TEST_CASE("rules: every body returns outside the grid before it touches a buffer") {
  for (const KernelSpec* kernel : kernels::all()) {
    CAPTURE(kernel->name);
    const std::size_t leaves = kernel->body.find("return;");
    REQUIRE(leaves != std::string::npos);
    for (const KernelBuffer& buffer : kernel->buffers) CHECK(kernel->body.find(buffer.name + "[") > leaves);
  }
}

TEST_CASE("rules: parameters fit Vulkan's push constants, names are unique and used") {
  for (const KernelSpec* kernel : kernels::all()) {
    CAPTURE(kernel->name);
    CHECK(kernel->parameters.size() <= 32);
    CHECK_FALSE(kernel->parameters.empty());  // GLSL has no empty blocks
    CHECK_FALSE(kernel->buffers.empty());
    std::set<std::string> names;
    for (const auto& buffer : kernel->buffers) names.insert(buffer.name);
    for (const auto& parameter : kernel->parameters) names.insert(parameter.name);
    CHECK(names.size() == kernel->buffers.size() + kernel->parameters.size());
    for (const std::string& name : names) {
      CAPTURE(name);
      CHECK(std::regex_search(kernel->body, std::regex("\\b" + name + "\\b")));
    }
  }
}

TEST_CASE("rules: read-only buffers are not written") {
  for (const KernelSpec* kernel : kernels::all()) {
    CAPTURE(kernel->name);
    for (const KernelBuffer& buffer : kernel->buffers) {
      const std::regex assignment("(^|\\n)\\s*" + buffer.name + R"(\[[^=\n]*\](\.[xy])?\s*[-+*/]?=[^=])");
      CHECK(std::regex_search(kernel->body, assignment) == buffer.writable);
    }
  }
}

TEST_CASE("rules: workgroups cover the threads") {
  CHECK(num_groups(kernels::place_kernel, {1, 1, 1}) == std::array<std::uint64_t, 3>{1, 1, 1});
  CHECK(num_groups(kernels::place_kernel, {64, 4, 1}) == std::array<std::uint64_t, 3>{1, 1, 1});
  CHECK(num_groups(kernels::place_kernel, {65, 5, 2}) == std::array<std::uint64_t, 3>{2, 2, 2});
}
