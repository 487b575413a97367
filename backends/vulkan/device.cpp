#include "backends/vulkan/device.hpp"

#include <fmt/format.h>

#include "backends/vulkan/session.hpp"
#include "kernels/dialects.hpp"

namespace convoy::backend::vulkan {

VulkanDevice::VulkanDevice(PhysicalDevice physical) : physical_(std::move(physical)) {
  const float priority = 1;
  VkDeviceQueueCreateInfo queue{};
  queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
  queue.queueFamilyIndex = physical_.queue_family;
  queue.queueCount = 1;
  queue.pQueuePriorities = &priority;
  VkPhysicalDeviceFeatures features{};
  features.shaderFloat64 = physical_.has_f64 ? VK_TRUE : VK_FALSE;
  VkDeviceCreateInfo creation{};
  creation.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
  creation.queueCreateInfoCount = 1;
  creation.pQueueCreateInfos = &queue;
  creation.pEnabledFeatures = &features;
  const VkResult result = vkCreateDevice(physical_.handle, &creation, nullptr, &handle_);
  if (result != VK_SUCCESS) {
    throw Error(Errc::backend_unavailable, fmt::format("{} ({}) does not open: vkCreateDevice failed with {}",
                                                       physical_.info.id, physical_.info.name, to_text(result)));
  }
  vkGetDeviceQueue(handle_, physical_.queue_family, 0, &queue_);
  make_pipeline_cache();
}

VulkanDevice::VulkanDevice(PhysicalDevice physical, VkDevice handle, VkQueue queue)
    : physical_(std::move(physical)), handle_(handle), owns_handle_(false), queue_(queue) {
  make_pipeline_cache();
}

/// Without a cache pipelines are only made more slowly.
void VulkanDevice::make_pipeline_cache() {
  VkPipelineCacheCreateInfo cache_creation{};
  cache_creation.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO;
  VkPipelineCache cache = VK_NULL_HANDLE;
  if (vkCreatePipelineCache(handle_, &cache_creation, nullptr, &cache) == VK_SUCCESS)
    pipeline_cache_ = {handle_, cache};
}

VulkanDevice::~VulkanDevice() {
  kernels_.clear();
  pipeline_cache_ = {};
  if (owns_handle_) vkDestroyDevice(handle_, nullptr);
}

std::unique_ptr<Session> VulkanDevice::load(const Program& program, const LoadOptions& options) {
  return std::make_unique<VulkanSession>(shared_from_this(), program, options);
}

std::shared_ptr<const Kernel> VulkanDevice::kernel(const KernelSpec& spec, Precision precision) {
  const std::string text = to_glsl(spec, precision);
  const std::lock_guard lock(kernels_mutex_);
  if (const auto known = kernels_.find(text); known != kernels_.end()) {
    if (auto held = known->second.lock()) return held;
  }
  std::erase_if(kernels_, [](const auto& entry) { return entry.second.expired(); });
  auto made =
      std::make_shared<const Kernel>(make_kernel(handle_, pipeline_cache_.get(), physical_.info.id, spec, text));
  kernels_[text] = made;
  return made;
}

}  // namespace convoy::backend::vulkan
