// An element-wise kernel compiled for a device.
#pragma once

#include <string>

#include "backends/vulkan/vulkan_api.hpp"
#include "convoy/spec.hpp"
#include "kernels/kernel_files.hpp"
#include "kernels/kernel_spec.hpp"

namespace convoy::backend::vulkan {

struct Kernel {
  std::uint32_t num_buffers = 0;
  OwnedDescriptorSetLayout set_layout;
  OwnedPipelineLayout layout;
  OwnedPipeline pipeline;
};

/// Throws Error(compile_failed).
Kernel make_kernel(VkDevice device, VkPipelineCache cache, const std::string& device_id, const KernelSpec& spec,
                   const KernelSource& glsl);

}  // namespace convoy::backend::vulkan
