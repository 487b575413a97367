// Buffers with their own memory.
#pragma once

#include <cstddef>
#include <string>

#include "backends/vulkan/physical_device.hpp"
#include "backends/vulkan/session_memory.hpp"

namespace convoy::backend::vulkan {

class Buffer {
 public:
  Buffer() = default;
  Buffer(OwnedMemory memory, OwnedBuffer buffer, std::uint64_t bytes, std::byte* mapped)
      : memory_(std::move(memory)), buffer_(std::move(buffer)), bytes_(bytes), mapped_(mapped) {}

  VkBuffer get() const { return buffer_.get(); }
  std::uint64_t bytes() const { return bytes_; }
  std::byte* mapped() const { return mapped_; }  ///< host buffers only

 private:
  OwnedMemory memory_;  // before buffer_, which is bound to it
  OwnedBuffer buffer_;
  std::uint64_t bytes_ = 0;
  std::byte* mapped_ = nullptr;
};

enum class HostUse { writes, reads };

/// Makes a session's buffers. Throws OutOfMemory with the bytes asked for and those free.
class BufferMaker {
 public:
  BufferMaker(const PhysicalDevice& physical, VkDevice device, SessionMemory& memory)
      : physical_(physical), device_(device), memory_(memory) {}

  /// Device memory that kernels and copies use.
  Buffer on_device(const std::string& name, std::uint64_t bytes) const;
  /// Host memory that the device copies from and to, mapped and coherent.
  Buffer on_host(const std::string& name, std::uint64_t bytes, HostUse use) const;

  OutOfMemory out_of_memory(const std::string& name, std::uint64_t bytes) const;

 private:
  Buffer make(const std::string& name, std::uint64_t bytes, VkBufferUsageFlags usage, VkMemoryPropertyFlags wanted,
              VkMemoryPropertyFlags unwanted) const;

  const PhysicalDevice& physical_;
  VkDevice device_;
  SessionMemory& memory_;
};

}  // namespace convoy::backend::vulkan
