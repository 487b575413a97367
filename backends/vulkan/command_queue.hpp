// Command buffers of one session, and their way to the device's queue.
#pragma once

#include <functional>
#include <span>

#include "backends/vulkan/buffer.hpp"
#include "backends/vulkan/device.hpp"

namespace convoy::backend::vulkan {

OwnedFence make_fence(VkDevice device, const std::string& device_id);

/// One thread at a time. The device must outlive it.
class CommandQueue {
 public:
  explicit CommandQueue(const VulkanDevice& device);

  VkCommandPool pool() const { return pool_.get(); }
  /// Unsignalled, except within run_once.
  VkFence fence() const { return fence_.get(); }

  /// A command buffer that records. It may be submitted again while it is pending.
  VkCommandBuffer begin();
  void end(VkCommandBuffer commands) const;
  void release(VkCommandBuffer commands) const;
  /// So many times over.
  void submit(VkCommandBuffer commands, VkFence fence, int times = 1) const;
  /// Once, to a queue of the same family. Either may be VK_NULL_HANDLE: no commands, no fence.
  void submit_to(VkQueue queue, VkCommandBuffer commands, VkFence fence) const;
  /// Waits for the fence and resets it. Throws Error(device_lost).
  void wait(VkFence fence) const;

  /// Records between barriers, runs and waits.
  void run_once(const std::function<void(VkCommandBuffer)>& record);
  /// Copies from a device buffer to the host, and waits.
  void read(const BufferMaker& make, VkBuffer from, std::uint64_t offset, std::span<std::byte> to);

 private:
  const std::string& id() const { return device_.info().id; }

  const VulkanDevice& device_;
  OwnedCommandPool pool_;
  OwnedFence fence_;
};

}  // namespace convoy::backend::vulkan
