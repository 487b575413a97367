#include "backends/vulkan/kernel.hpp"

#include <fmt/format.h>

#include "backends/vulkan/glsl_compiler.hpp"
#include "convoy/error.hpp"

namespace convoy::backend::vulkan {
namespace {

VkDescriptorSetLayout make_set_layout(VkDevice device, const std::string& device_id, std::uint32_t num_buffers) {
  std::vector<VkDescriptorSetLayoutBinding> bindings(num_buffers);
  for (std::uint32_t binding = 0; binding < num_buffers; ++binding) {
    bindings[binding].binding = binding;
    bindings[binding].descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    bindings[binding].descriptorCount = 1;
    bindings[binding].stageFlags = VK_SHADER_STAGE_COMPUTE_BIT;
  }
  VkDescriptorSetLayoutCreateInfo creation{};
  creation.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO;
  creation.bindingCount = num_buffers;
  creation.pBindings = bindings.data();
  VkDescriptorSetLayout layout = VK_NULL_HANDLE;
  check(vkCreateDescriptorSetLayout(device, &creation, nullptr, &layout), "creating a descriptor layout", device_id);
  return layout;
}

VkPipelineLayout make_layout(VkDevice device, const std::string& device_id, VkDescriptorSetLayout sets,
                             std::size_t num_parameters) {
  const VkPushConstantRange parameters{VK_SHADER_STAGE_COMPUTE_BIT, 0, static_cast<std::uint32_t>(4 * num_parameters)};
  VkPipelineLayoutCreateInfo creation{};
  creation.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO;
  creation.setLayoutCount = 1;
  creation.pSetLayouts = &sets;
  creation.pushConstantRangeCount = 1;
  creation.pPushConstantRanges = &parameters;
  VkPipelineLayout layout = VK_NULL_HANDLE;
  check(vkCreatePipelineLayout(device, &creation, nullptr, &layout), "creating a pipeline layout", device_id);
  return layout;
}

}  // namespace

Kernel make_kernel(VkDevice device, VkPipelineCache cache, const std::string& device_id, const KernelSpec& spec,
                   const KernelSource& glsl) {
  const std::vector<std::uint32_t> code = compiled_glsl(glsl, spec.name);
  VkShaderModuleCreateInfo module_creation{};
  module_creation.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO;
  module_creation.codeSize = code.size() * sizeof(std::uint32_t);
  module_creation.pCode = code.data();
  VkShaderModule created = VK_NULL_HANDLE;
  check(vkCreateShaderModule(device, &module_creation, nullptr, &created), "creating a shader module", device_id);
  const OwnedShaderModule module(device, created);

  Kernel kernel;
  kernel.num_buffers = static_cast<std::uint32_t>(spec.buffers.size());
  kernel.set_layout = {device, make_set_layout(device, device_id, kernel.num_buffers)};
  kernel.layout = {device, make_layout(device, device_id, kernel.set_layout.get(), spec.parameters.size())};

  VkComputePipelineCreateInfo creation{};
  creation.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
  creation.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
  creation.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  creation.stage.module = module.get();
  creation.stage.pName = "main";
  creation.layout = kernel.layout.get();
  VkPipeline pipeline = VK_NULL_HANDLE;
  const VkResult result = vkCreateComputePipelines(device, cache, 1, &creation, nullptr, &pipeline);
  if (result != VK_SUCCESS) {
    throw Error(Errc::compile_failed, fmt::format("{}: the driver refuses the kernel {}{}: {}", device_id, spec.name,
                                                  glsl.note(), to_text(result)));
  }
  kernel.pipeline = {device, pipeline};
  return kernel;
}

}  // namespace convoy::backend::vulkan
