// Runs on the caller's buffers and queue.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "backends/vulkan/recorder.hpp"
#include "backends/vulkan/session.hpp"

namespace convoy::backend::vulkan {

void VulkanSession::run_on(std::uint64_t queue, const std::vector<ExternalMemory>& memory) {
  const VkQueue callers = queue == 0 ? device_->queue() : reinterpret_cast<VkQueue>(queue);
  const std::vector<ExternalBuffer> buffers = external_buffers(memory);
  if (callers != external_queue_ || buffers != external_) {
    drain_external();
    external_ = buffers;
    record_external_run();
  }
  queue_.submit_to(callers, sets_[0].sections[static_cast<std::size_t>(Section::run)], VK_NULL_HANDLE);
  external_queue_ = callers;
  external_in_flight_ = true;
}

std::vector<VulkanSession::ExternalBuffer> VulkanSession::external_buffers(
    const std::vector<ExternalMemory>& memory) const {
  const std::uint64_t alignment = device_->physical().properties.limits.minStorageBufferOffsetAlignment;
  std::vector<ExternalBuffer> buffers(program_.slots.size());
  for (const ExternalMemory& one : memory) {
    const std::string& name = program_.slots.at(static_cast<std::size_t>(one.slot)).name;
    if (one.offset_bytes % alignment != 0) {
      throw Error(Errc::invalid_argument,
                  fmt::format("{}: {} begins at byte {} of its buffer, which is no multiple of this device's "
                              "minStorageBufferOffsetAlignment, {}",
                              id(), name, one.offset_bytes, alignment));
    }
    buffers[static_cast<std::size_t>(one.slot)] = {(VkBuffer)one.handle, one.offset_bytes};
  }
  return buffers;
}

/// The descriptors of the caller's former buffers are written anew; nothing that uses them is in flight.
void VulkanSession::record_external_run() {
  const ChargeTo charge(memory_);
  for (BoundKernel& bound : bound_kernels_) {
    const auto is_external = [&](SlotId slot) { return program_.slots[static_cast<std::size_t>(slot)].external; };
    if (std::any_of(bound.slots.begin(), bound.slots.end(), is_external)) bound.is_current = false;
  }
  VkCommandBuffer& recorded = sets_[0].sections[static_cast<std::size_t>(Section::run)];
  if (recorded != VK_NULL_HANDLE) queue_.release(std::exchange(recorded, VK_NULL_HANDLE));
  const VkCommandBuffer commands = queue_.begin();
  record_full_barrier(commands);
  for (const Step& step : program_.run) {
    record_barrier(commands);
    std::visit([&](const auto& known) { record(commands, known, 0); }, step);
  }
  record_full_barrier(commands);
  queue_.end(commands);
  recorded = commands;
}

/// An empty submission's fence signals that all before it on the queue is done.
void VulkanSession::drain_external() {
  if (!external_in_flight_) return;
  external_in_flight_ = false;
  queue_.submit_to(external_queue_, VK_NULL_HANDLE, queue_.fence());
  queue_.wait(queue_.fence());
}

VkDescriptorSet VulkanSession::bind(const Kernel& kernel, const std::vector<SlotId>& slots, int set) {
  const auto is_same = [&](const BoundKernel& bound) {
    return bound.kernel == &kernel && bound.slots == slots && bound.set == set;
  };
  auto bound = std::find_if(bound_kernels_.begin(), bound_kernels_.end(), is_same);
  if (bound == bound_kernels_.end()) {
    bound_kernels_.push_back({&kernel, slots, set, make_descriptor_set(kernel), false});
    bound = std::prev(bound_kernels_.end());
  }
  if (bound->is_current) return bound->descriptors;
  std::vector<VkDescriptorBufferInfo> buffers;
  for (const SlotId slot : slots) {
    const std::size_t i = static_cast<std::size_t>(slot);
    const bool is_external = program_.slots.at(i).external;
    const ExternalBuffer buffer = is_external ? external_.at(i) : ExternalBuffer{this->slot(slot, set), 0};
    buffers.push_back({buffer.buffer, buffer.offset_bytes, program_.slots[i].bytes});
  }
  VkWriteDescriptorSet write{};
  write.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
  write.dstSet = bound->descriptors;
  write.descriptorCount = static_cast<std::uint32_t>(buffers.size());
  write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
  write.pBufferInfo = buffers.data();
  vkUpdateDescriptorSets(device_->handle(), 1, &write, 0, nullptr);
  bound->is_current = true;
  return bound->descriptors;
}

VkDescriptorSet VulkanSession::make_descriptor_set(const Kernel& kernel) const {
  const VkDescriptorSetLayout layout = kernel.set_layout.get();
  VkDescriptorSetAllocateInfo allocation{};
  allocation.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO;
  allocation.descriptorPool = descriptors_.get();
  allocation.descriptorSetCount = 1;
  allocation.pSetLayouts = &layout;
  VkDescriptorSet descriptors = VK_NULL_HANDLE;
  check(vkAllocateDescriptorSets(device_->handle(), &allocation, &descriptors), "making a descriptor set", id());
  return descriptors;
}

}  // namespace convoy::backend::vulkan
