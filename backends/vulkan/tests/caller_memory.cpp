// Buffers and a queue as a caller of Vulkan has them, on an instance and a device of its own, for the tests of device
// arrays.
#include "support/caller_memory.hpp"

#include <cstring>
#include <stdexcept>

#include "backends/vulkan/vulkan_api.hpp"

using namespace convoy::backend::vulkan;

namespace {

void require(VkResult result, const char* what) {
  if (result != VK_SUCCESS) throw std::runtime_error(std::string(what) + " failed with " + to_text(result));
}

/// Host-visible buffers on a device of its own, with every feature that the device has for small integers and doubles.
class VulkanMemory final : public CallerMemory {
 public:
  VulkanMemory() {
    open_instance();
    open_device();
  }
  ~VulkanMemory() override {
    vkQueueSubmit(queue_, 0, nullptr, fence_);
    vkWaitForFences(device_, 1, &fence_, VK_TRUE, UINT64_MAX);
    for (const Block& block : blocks_) {
      vkDestroyBuffer(device_, block.buffer, nullptr);
      vkFreeMemory(device_, block.memory, nullptr);
    }
    vkDestroyFence(device_, fence_, nullptr);
    vkDestroyDevice(device_, nullptr);
    vkDestroyInstance(instance_, nullptr);
  }

  convoy::Device device() override {
    return convoy::open_vulkan_device(
        {.physical_device = physical_, .device = device_, .queue = queue_, .queue_family = family_});
  }
  std::uint64_t allocate(std::size_t bytes) override {
    Block block;
    VkBufferCreateInfo creation{};
    creation.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
    creation.size = bytes;
    creation.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
    require(vkCreateBuffer(device_, &creation, nullptr, &block.buffer), "vkCreateBuffer");
    VkMemoryRequirements needs{};
    vkGetBufferMemoryRequirements(device_, block.buffer, &needs);
    VkMemoryAllocateInfo allocation{};
    allocation.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
    allocation.allocationSize = needs.size;
    allocation.memoryTypeIndex = coherent_type(needs.memoryTypeBits);
    require(vkAllocateMemory(device_, &allocation, nullptr, &block.memory), "vkAllocateMemory");
    require(vkBindBufferMemory(device_, block.buffer, block.memory, 0), "vkBindBufferMemory");
    require(vkMapMemory(device_, block.memory, 0, VK_WHOLE_SIZE, 0, &block.mapped), "vkMapMemory");
    blocks_.push_back(block);
    return reinterpret_cast<std::uint64_t>(block.buffer);
  }
  void write(std::uint64_t handle, std::span<const std::byte> bytes) override {
    std::memcpy(mapped(handle), bytes.data(), bytes.size());
  }
  void read(std::uint64_t handle, std::span<std::byte> bytes) override {
    std::memcpy(bytes.data(), mapped(handle), bytes.size());
  }
  convoy::DeviceStream stream() override { return convoy::DeviceStream(queue_); }

 private:
  struct Block {
    VkBuffer buffer = VK_NULL_HANDLE;
    VkDeviceMemory memory = VK_NULL_HANDLE;
    void* mapped = nullptr;
  };

  void open_instance() {
    VkApplicationInfo application{};
    application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
    application.apiVersion = VK_API_VERSION_1_2;
    VkInstanceCreateInfo creation{};
    creation.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
    creation.pApplicationInfo = &application;
    require(loader().why_not.empty() ? VK_SUCCESS : VK_ERROR_INITIALIZATION_FAILED, "the loader");
    require(vkCreateInstance(&creation, nullptr, &instance_), "vkCreateInstance");
    std::uint32_t count = 1;
    vkEnumeratePhysicalDevices(instance_, &count, &physical_);
  }

  void open_device() {
    std::uint32_t count = 0;
    vkGetPhysicalDeviceQueueFamilyProperties(physical_, &count, nullptr);
    std::vector<VkQueueFamilyProperties> families(count);
    vkGetPhysicalDeviceQueueFamilyProperties(physical_, &count, families.data());
    while ((families.at(family_).queueFlags & VK_QUEUE_COMPUTE_BIT) == 0) ++family_;

    VkPhysicalDeviceFeatures has{};
    vkGetPhysicalDeviceFeatures(physical_, &has);
    VkPhysicalDeviceVulkan12Features small{};
    small.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
    small.storageBuffer8BitAccess = VK_TRUE;
    VkPhysicalDevice16BitStorageFeatures medium{};
    medium.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES;
    medium.pNext = &small;
    medium.storageBuffer16BitAccess = VK_TRUE;
    VkPhysicalDeviceFeatures features{};
    features.shaderFloat64 = has.shaderFloat64;
    const float priority = 1;
    VkDeviceQueueCreateInfo queue{};
    queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
    queue.queueFamilyIndex = family_;
    queue.queueCount = 1;
    queue.pQueuePriorities = &priority;
    VkDeviceCreateInfo creation{};
    creation.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    creation.pNext = &medium;
    creation.queueCreateInfoCount = 1;
    creation.pQueueCreateInfos = &queue;
    creation.pEnabledFeatures = &features;
    require(vkCreateDevice(physical_, &creation, nullptr, &device_), "vkCreateDevice");
    vkGetDeviceQueue(device_, family_, 0, &queue_);
    VkFenceCreateInfo fence{};
    fence.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO;
    require(vkCreateFence(device_, &fence, nullptr, &fence_), "vkCreateFence");
  }

  std::uint32_t coherent_type(std::uint32_t allowed) const {
    constexpr VkMemoryPropertyFlags kWanted =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    VkPhysicalDeviceMemoryProperties memory{};
    vkGetPhysicalDeviceMemoryProperties(physical_, &memory);
    for (std::uint32_t type = 0; type < memory.memoryTypeCount; ++type) {
      if ((allowed >> type & 1) != 0 && (memory.memoryTypes[type].propertyFlags & kWanted) == kWanted) return type;
    }
    throw std::runtime_error("no memory that the host sees");
  }

  /// Once all that the queue holds is done.
  std::byte* mapped(std::uint64_t handle) {
    require(vkQueueSubmit(queue_, 0, nullptr, fence_), "vkQueueSubmit");
    require(vkWaitForFences(device_, 1, &fence_, VK_TRUE, UINT64_MAX), "vkWaitForFences");
    require(vkResetFences(device_, 1, &fence_), "vkResetFences");
    for (const Block& block : blocks_) {
      if (reinterpret_cast<std::uint64_t>(block.buffer) == handle) return static_cast<std::byte*>(block.mapped);
    }
    throw std::runtime_error("no such buffer");
  }

  VkInstance instance_ = VK_NULL_HANDLE;
  VkPhysicalDevice physical_ = VK_NULL_HANDLE;
  VkDevice device_ = VK_NULL_HANDLE;
  VkQueue queue_ = VK_NULL_HANDLE;
  VkFence fence_ = VK_NULL_HANDLE;
  std::uint32_t family_ = 0;
  std::vector<Block> blocks_;
};

}  // namespace

std::unique_ptr<CallerMemory> vulkan_caller_memory() { return std::make_unique<VulkanMemory>(); }
