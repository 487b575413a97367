// The last step of glslang, for own kernels and for VkFFT's.
#pragma once

#include <glslang/Include/glslang_c_interface.h>

#include "kernels/kernel_files.hpp"

namespace convoy::backend::vulkan {

/// As glslang_program_SPIRV_generate; where a file holds the text, the code names its lines (-g).
void generate_spirv(glslang_program_t* program, glslang_stage_t stage, const KernelSource& source);

}  // namespace convoy::backend::vulkan
