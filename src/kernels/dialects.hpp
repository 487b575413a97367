// Printers: the whole source of a kernel in the language of a device's run-time compiler.
#pragma once

#include <string>

#include "convoy/spec.hpp"
#include "kernels/kernel_spec.hpp"

namespace convoy::inline v0 {

/// A GLSL 4.5 compute shader for Vulkan: set 0, storage buffers at bindings 0, 1 ... in the spec's order; parameters as
/// push constants, 4 bytes each, in the spec's order; workgroups of the spec. Entry point "main".
std::string to_glsl(const KernelSpec& kernel, Precision precision);

/// CUDA C, which is HIP as well: extern "C" __global__ void <name>(buffers..., parameters...), each buffer a pointer,
/// each parameter an unsigned int or float, to be launched in blocks of the spec's workgroup with shared_bytes() of
/// dynamic shared memory.
std::string to_cuda(const KernelSpec& kernel, Precision precision);

/// Lines indented by the braces around them; preprocessor lines as they are. Compilers see the same tokens.
std::string indented(const std::string& text);

/// The body with `suffix` in place of the _d behind its double constants.
std::string with_doubles(std::string body, const std::string& suffix);

}  // namespace convoy::inline v0
