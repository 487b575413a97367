// Buffers that callers hold beside sessions.
#include <algorithm>
#include <cstring>

#include "backends/vulkan/command_queue.hpp"

namespace convoy::backend::vulkan {
namespace {

/// Of staging, at once.
constexpr std::uint64_t kMostStaged = 64 << 20;

class HeldMemory final : public Memory {
 public:
  HeldMemory(std::shared_ptr<VulkanDevice> device, std::uint64_t bytes)
      : device_(std::move(device)),
        memory_(device_->account(), device_->physical().memory, device_->physical().heap(), {}),
        make_(device_->physical(), device_->handle(), memory_),
        queue_(*device_) {
    const ChargeTo charge(memory_);
    buffer_ = make_.on_device("a device buffer", bytes);
  }
  ~HeldMemory() override {
    const ChargeTo charge(memory_);
    try {
      queue_.run_once([](VkCommandBuffer) {});  // what is queued with the buffer
    } catch (const Error&) {                    // the device is lost: there is nothing to wait for
    }
    buffer_ = {};
  }

  std::uint64_t handle() const override { return (std::uint64_t)buffer_.get(); }
  void write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    for_each_part(bytes.size(), [&](std::uint64_t begin, std::uint64_t size) {
      const Buffer staging = make_.on_host("staging", size, HostUse::writes);
      std::memcpy(staging.mapped(), bytes.data() + begin, size);
      queue_.run_once([&](VkCommandBuffer commands) {
        const VkBufferCopy region{0, offset + begin, size};
        vkCmdCopyBuffer(commands, staging.get(), buffer_.get(), 1, &region);
      });
    });
  }
  void read(std::uint64_t offset, std::span<std::byte> bytes) const override {
    for_each_part(bytes.size(), [&](std::uint64_t begin, std::uint64_t size) {
      queue_.read(make_, buffer_.get(), offset + begin, bytes.subspan(begin, size));
    });
  }

 private:
  template <class Part>
  void for_each_part(std::uint64_t bytes, const Part& part) const {
    const ChargeTo charge(memory_);
    for (std::uint64_t begin = 0; begin < bytes; begin += kMostStaged) {
      part(begin, std::min(kMostStaged, bytes - begin));
    }
  }

  std::shared_ptr<VulkanDevice> device_;
  mutable SessionMemory memory_;
  BufferMaker make_;
  mutable CommandQueue queue_;
  Buffer buffer_;
};

}  // namespace

std::unique_ptr<Memory> VulkanDevice::allocate(std::uint64_t bytes) {
  return std::make_unique<HeldMemory>(shared_from_this(), bytes);
}

}  // namespace convoy::backend::vulkan
