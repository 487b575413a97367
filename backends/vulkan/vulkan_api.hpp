// The Vulkan functions that convoy and VkFFT call, found at run time. Within this namespace they have the driver's own
// names, so VkFFT's text calls through them; nothing is linked.
#pragma once

#ifndef VK_NO_PROTOTYPES
#define VK_NO_PROTOTYPES
#endif
#include <vulkan/vulkan.h>

#include <string>

#define CONVOY_VULKAN_GLOBAL_FUNCTIONS(X) X(vkCreateInstance) X(vkEnumerateInstanceVersion) X(vkEnumerateInstanceExtensionProperties)

#define CONVOY_VULKAN_INSTANCE_FUNCTIONS(X)                                                                          \
  X(vkDestroyInstance)                                                                                               \
  X(vkEnumeratePhysicalDevices)                                                                                      \
  X(vkEnumerateDeviceExtensionProperties) X(vkGetPhysicalDeviceProperties) X(vkGetPhysicalDeviceProperties2)         \
      X(vkGetPhysicalDeviceFeatures) X(vkGetPhysicalDeviceMemoryProperties) X(vkGetPhysicalDeviceMemoryProperties2)  \
          X(vkGetPhysicalDeviceQueueFamilyProperties) X(vkCreateDevice) X(vkDestroyDevice) X(vkGetDeviceQueue)       \
              X(vkQueueSubmit) X(vkAllocateMemory) X(vkFreeMemory) X(vkMapMemory) X(vkUnmapMemory)                   \
                  X(vkBindBufferMemory) X(vkGetBufferMemoryRequirements) X(vkCreateBuffer) X(vkDestroyBuffer)        \
                      X(vkCreateFence) X(vkDestroyFence) X(vkResetFences) X(vkWaitForFences) X(vkCreateCommandPool)  \
                          X(vkDestroyCommandPool) X(vkAllocateCommandBuffers) X(vkFreeCommandBuffers)                \
                              X(vkBeginCommandBuffer) X(vkEndCommandBuffer) X(vkCmdCopyBuffer) X(vkCmdFillBuffer)    \
                                  X(vkCmdUpdateBuffer) X(vkCmdPipelineBarrier) X(vkCmdBindPipeline)                  \
                                      X(vkCmdBindDescriptorSets) X(vkCmdPushConstants) X(vkCmdDispatch)              \
                                          X(vkCreateShaderModule) X(vkDestroyShaderModule) X(vkCreatePipelineCache)  \
                                              X(vkDestroyPipelineCache) X(vkCreateComputePipelines)                  \
                                                  X(vkDestroyPipeline) X(vkCreatePipelineLayout)                     \
                                                      X(vkDestroyPipelineLayout) X(vkCreateDescriptorSetLayout)      \
                                                          X(vkDestroyDescriptorSetLayout) X(vkCreateDescriptorPool)  \
                                                              X(vkDestroyDescriptorPool) X(vkAllocateDescriptorSets) \
                                                                  X(vkUpdateDescriptorSets)

namespace convoy::backend::vulkan {

#define CONVOY_DECLARE(function) extern PFN_##function function;
CONVOY_VULKAN_GLOBAL_FUNCTIONS(CONVOY_DECLARE)
CONVOY_VULKAN_INSTANCE_FUNCTIONS(CONVOY_DECLARE)
#undef CONVOY_DECLARE

/// The loader and its instance, made on first use and kept for the life of the process.
struct Loader {
  VkInstance instance = VK_NULL_HANDLE;
  std::string why_not;  ///< empty if there is an instance
};
const Loader& loader();

/// "VK_ERROR_DEVICE_LOST (-4)".
std::string to_text(VkResult result);

/// Throws Error(device_lost), OutOfMemory for host memory, or Error(unsupported), unless the call succeeded.
void check(VkResult result, const char* action, const std::string& device_id);

/// A Vulkan object that is destroyed with its owner.
template <class T, auto* Destroy>
class Owned {
 public:
  Owned() = default;
  Owned(VkDevice device, T object) : device_(device), object_(object) {}
  Owned(Owned&& other) noexcept : device_(other.device_), object_(other.object_) { other.object_ = VK_NULL_HANDLE; }
  Owned& operator=(Owned&& other) noexcept {
    if (this != &other) {
      reset();
      device_ = other.device_;
      object_ = other.object_;
      other.object_ = VK_NULL_HANDLE;
    }
    return *this;
  }
  ~Owned() { reset(); }

  T get() const { return object_; }

 private:
  void reset() {
    if (object_ != VK_NULL_HANDLE) (*Destroy)(device_, object_, nullptr);
    object_ = VK_NULL_HANDLE;
  }

  VkDevice device_ = VK_NULL_HANDLE;
  T object_ = VK_NULL_HANDLE;
};

using OwnedBuffer = Owned<VkBuffer, &vkDestroyBuffer>;
using OwnedMemory = Owned<VkDeviceMemory, &vkFreeMemory>;
using OwnedFence = Owned<VkFence, &vkDestroyFence>;
using OwnedCommandPool = Owned<VkCommandPool, &vkDestroyCommandPool>;
using OwnedDescriptorPool = Owned<VkDescriptorPool, &vkDestroyDescriptorPool>;
using OwnedDescriptorSetLayout = Owned<VkDescriptorSetLayout, &vkDestroyDescriptorSetLayout>;
using OwnedPipelineLayout = Owned<VkPipelineLayout, &vkDestroyPipelineLayout>;
using OwnedPipeline = Owned<VkPipeline, &vkDestroyPipeline>;
using OwnedPipelineCache = Owned<VkPipelineCache, &vkDestroyPipelineCache>;
using OwnedShaderModule = Owned<VkShaderModule, &vkDestroyShaderModule>;

}  // namespace convoy::backend::vulkan
