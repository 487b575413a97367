// What a session holds on its device. Vulkan has no owner for memory, and VkFFT allocates tables by itself, so the
// allocation functions of vulkan_api.hpp are hooked: they enter everything into the session charged in their thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "backends/gpu/memory_account.hpp"
#include "backends/vulkan/vulkan_api.hpp"
#include "convoy/error.hpp"

namespace convoy::backend::vulkan {

using TraceMemory = std::function<void(const std::string& step, std::uint64_t used_bytes)>;

class SessionMemory {
 public:
  /// Counts allocations in one heap of the device, the one that slots come from.
  SessionMemory(gpu::MemoryAccount& account, const VkPhysicalDeviceMemoryProperties& types, std::uint32_t heap,
                TraceMemory trace)
      : account_(account), types_(types), heap_(heap), trace_(std::move(trace)) {}
  SessionMemory(const SessionMemory&) = delete;
  SessionMemory& operator=(const SessionMemory&) = delete;

  /// What the next allocations are for; none: host staging, which is not counted.
  void set_purpose(std::optional<std::string> purpose) { purpose_ = std::move(purpose); }

  void allocated(VkDeviceMemory memory, const VkMemoryAllocateInfo& info);
  void freed(VkDeviceMemory memory);
  void refused(const VkMemoryAllocateInfo& info) { refused_bytes_ = info.allocationSize; }
  void created(VkBuffer buffer) { buffers_.insert(buffer); }
  void destroyed(VkBuffer buffer) { buffers_.erase(buffer); }

  /// Size of the last allocation that the driver refused.
  std::uint64_t refused_bytes() const { return refused_bytes_; }

  /// VkFFT forgets what it had made when it fails half-way. Call when nothing of the session lives any more.
  void destroy_leftovers(VkDevice device);

 private:
  struct Block {
    std::string name;
    std::uint64_t bytes;
    bool counted;
  };

  void trace(const std::string& step, std::uint64_t used_bytes) const {
    if (trace_) trace_(step, used_bytes);
  }

  gpu::MemoryAccount& account_;
  const VkPhysicalDeviceMemoryProperties& types_;
  std::uint32_t heap_;
  TraceMemory trace_;
  std::optional<std::string> purpose_;
  std::map<VkDeviceMemory, Block> blocks_;
  std::set<VkBuffer> buffers_;
  std::uint64_t refused_bytes_ = 0;
};

/// Charges this thread's allocations to a session while it lives.
class ChargeTo {
 public:
  explicit ChargeTo(SessionMemory& memory);
  ~ChargeTo();
  ChargeTo(const ChargeTo&) = delete;
  ChargeTo& operator=(const ChargeTo&) = delete;

 private:
  SessionMemory* previous_;
};

/// Called once, when the functions have been found. Hooks vkQueueSubmit as well: a queue takes one thread at a time,
/// and VkFFT submits copies of its tables by itself.
void hook_allocations();

}  // namespace convoy::backend::vulkan
