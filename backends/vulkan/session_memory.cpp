#include "backends/vulkan/session_memory.hpp"

#include <mutex>
#include <utility>

namespace convoy::backend::vulkan {
namespace {

thread_local SessionMemory* charged = nullptr;

PFN_vkAllocateMemory driver_allocate_memory = nullptr;
PFN_vkFreeMemory driver_free_memory = nullptr;
PFN_vkCreateBuffer driver_create_buffer = nullptr;
PFN_vkDestroyBuffer driver_destroy_buffer = nullptr;
PFN_vkQueueSubmit driver_queue_submit = nullptr;

VKAPI_ATTR VkResult VKAPI_CALL allocate_memory(VkDevice device, const VkMemoryAllocateInfo* info,
                                               const VkAllocationCallbacks* callbacks, VkDeviceMemory* memory) {
  const VkResult result = driver_allocate_memory(device, info, callbacks, memory);
  if (charged == nullptr) return result;
  if (result == VK_SUCCESS) {
    charged->allocated(*memory, *info);
  } else {
    *memory = VK_NULL_HANDLE;
    charged->refused(*info);
  }
  return result;
}

VKAPI_ATTR void VKAPI_CALL free_memory(VkDevice device, VkDeviceMemory memory, const VkAllocationCallbacks* callbacks) {
  driver_free_memory(device, memory, callbacks);
  if (charged != nullptr) charged->freed(memory);
}

VKAPI_ATTR VkResult VKAPI_CALL create_buffer(VkDevice device, const VkBufferCreateInfo* info,
                                             const VkAllocationCallbacks* callbacks, VkBuffer* buffer) {
  const VkResult result = driver_create_buffer(device, info, callbacks, buffer);
  if (charged != nullptr && result == VK_SUCCESS) charged->created(*buffer);
  return result;
}

VKAPI_ATTR void VKAPI_CALL destroy_buffer(VkDevice device, VkBuffer buffer, const VkAllocationCallbacks* callbacks) {
  driver_destroy_buffer(device, buffer, callbacks);
  if (charged != nullptr) charged->destroyed(buffer);
}

VKAPI_ATTR VkResult VKAPI_CALL queue_submit(VkQueue queue, std::uint32_t count, const VkSubmitInfo* submits,
                                            VkFence fence) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  return driver_queue_submit(queue, count, submits, fence);
}

}  // namespace

void SessionMemory::allocated(VkDeviceMemory memory, const VkMemoryAllocateInfo& info) {
  const bool counted = purpose_.has_value() && types_.memoryTypes[info.memoryTypeIndex].heapIndex == heap_;
  const auto& [entry, added] =
      blocks_.emplace(memory, Block{purpose_.value_or("staging"), info.allocationSize, counted});
  if (counted) trace("allocated " + entry->second.name, account_.add(info.allocationSize));
}

void SessionMemory::freed(VkDeviceMemory memory) {
  const auto found = blocks_.find(memory);
  if (found == blocks_.end()) return;
  const Block block = std::move(found->second);
  blocks_.erase(found);
  if (!block.counted) return;
  const std::uint64_t used_bytes = account_.subtract(block.bytes);
  try {
    trace("released " + block.name, used_bytes);
  } catch (...) {  // a trace that throws must not stop the giving back
  }
}

void SessionMemory::destroy_leftovers(VkDevice device) {
  while (!buffers_.empty()) vkDestroyBuffer(device, *buffers_.begin(), nullptr);
  while (!blocks_.empty()) vkFreeMemory(device, blocks_.begin()->first, nullptr);
}

ChargeTo::ChargeTo(SessionMemory& memory) : previous_(std::exchange(charged, &memory)) {}
ChargeTo::~ChargeTo() { charged = previous_; }

void hook_allocations() {
  driver_allocate_memory = std::exchange(vkAllocateMemory, &allocate_memory);
  driver_free_memory = std::exchange(vkFreeMemory, &free_memory);
  driver_create_buffer = std::exchange(vkCreateBuffer, &create_buffer);
  driver_destroy_buffer = std::exchange(vkDestroyBuffer, &destroy_buffer);
  driver_queue_submit = std::exchange(vkQueueSubmit, &queue_submit);
}

}  // namespace convoy::backend::vulkan
