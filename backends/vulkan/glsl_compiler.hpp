// GLSL to SPIR-V, in process.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/kernel_files.hpp"

namespace convoy::backend::vulkan {

/// Starts glslang, once per process; VkFFT relies on it too.
void start_glslang();

/// Throws Error(compile_failed) with the compiler's log. `name` is for the message.
std::vector<std::uint32_t> compile_glsl(const KernelSource& source, const std::string& name);

/// The same, or what the plan cache has kept of an earlier call, of this process or another.
std::vector<std::uint32_t> compiled_glsl(const KernelSource& source, const std::string& name);

}  // namespace convoy::backend::vulkan
