#include "backends/vulkan/command_queue.hpp"

#include <cstring>
#include <vector>

#include "backends/vulkan/recorder.hpp"

namespace convoy::backend::vulkan {

OwnedFence make_fence(VkDevice device, const std::string& device_id) {
  VkFenceCreateInfo creation{};
  creation.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO;
  VkFence fence = VK_NULL_HANDLE;
  check(vkCreateFence(device, &creation, nullptr, &fence), "creating a fence", device_id);
  return {device, fence};
}

CommandQueue::CommandQueue(const VulkanDevice& device) : device_(device) {
  VkCommandPoolCreateInfo creation{};
  creation.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
  creation.queueFamilyIndex = device.physical().queue_family;
  VkCommandPool pool = VK_NULL_HANDLE;
  check(vkCreateCommandPool(device.handle(), &creation, nullptr, &pool), "creating a command pool", id());
  pool_ = {device.handle(), pool};
  fence_ = make_fence(device.handle(), id());
}

VkCommandBuffer CommandQueue::begin() {
  VkCommandBufferAllocateInfo allocation{};
  allocation.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
  allocation.commandPool = pool_.get();
  allocation.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
  allocation.commandBufferCount = 1;
  VkCommandBuffer commands = VK_NULL_HANDLE;
  check(vkAllocateCommandBuffers(device_.handle(), &allocation, &commands), "making a command buffer", id());
  VkCommandBufferBeginInfo beginning{};
  beginning.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
  beginning.flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT;
  check(vkBeginCommandBuffer(commands, &beginning), "beginning a command buffer", id());
  return commands;
}

void CommandQueue::end(VkCommandBuffer commands) const {
  check(vkEndCommandBuffer(commands), "ending a command buffer", id());
}

void CommandQueue::release(VkCommandBuffer commands) const {
  vkFreeCommandBuffers(device_.handle(), pool_.get(), 1, &commands);
}

void CommandQueue::submit(VkCommandBuffer commands, VkFence fence, int times) const {
  const std::vector<VkCommandBuffer> repeated(static_cast<std::size_t>(times), commands);
  VkSubmitInfo submission{};
  submission.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
  submission.commandBufferCount = static_cast<std::uint32_t>(repeated.size());
  submission.pCommandBuffers = repeated.data();
  check(vkQueueSubmit(device_.queue(), 1, &submission, fence), "submitting commands", id());
}

void CommandQueue::submit_to(VkQueue queue, VkCommandBuffer commands, VkFence fence) const {
  VkSubmitInfo submission{};
  submission.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
  submission.commandBufferCount = commands != VK_NULL_HANDLE ? 1 : 0;
  submission.pCommandBuffers = &commands;
  check(vkQueueSubmit(queue, 1, &submission, fence), "submitting commands", id());
}

void CommandQueue::wait(VkFence fence) const {
  check(device_.wait_for(fence), "waiting for commands", id());
  check(vkResetFences(device_.handle(), 1, &fence), "resetting a fence", id());
}

void CommandQueue::run_once(const std::function<void(VkCommandBuffer)>& record) {
  const VkCommandBuffer commands = begin();
  record_barrier(commands);
  record(commands);
  record_host_barrier(commands);
  end(commands);
  submit(commands, fence_.get());
  wait(fence_.get());
  release(commands);
}

void CommandQueue::read(const BufferMaker& make, VkBuffer from, std::uint64_t offset, std::span<std::byte> to) {
  const Buffer staging = make.on_host("staging", to.size(), HostUse::reads);
  run_once([&](VkCommandBuffer commands) {
    const VkBufferCopy region{offset, 0, to.size()};
    vkCmdCopyBuffer(commands, from, staging.get(), 1, &region);
  });
  std::memcpy(to.data(), staging.mapped(), to.size());
}

}  // namespace convoy::backend::vulkan
