// What one session holds: device memory, entered into the device's account, and pinned host memory, which is not.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backends/gpu/check.hpp"
#include "backends/gpu/memory_account.hpp"
#include "convoy/error.hpp"

namespace convoy::backend::gpu {

using TraceMemory = std::function<void(const std::string& step, std::uint64_t used_bytes)>;

/// Gives back all that it still holds when it ends. The device must be current in the calling thread for every call.
template <class Api>
class DeviceMemory {
 public:
  DeviceMemory(MemoryAccount& account, TraceMemory trace, std::string device_id)
      : account_(account), trace_(std::move(trace)), device_id_(std::move(device_id)) {}
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;
  ~DeviceMemory() {
    while (!blocks_.empty()) static_cast<void>(release(blocks_.begin()->first));
    for (void* pointer : pinned_) Api::release_pinned(pointer);
  }

  /// Throws OutOfMemory with the bytes that were asked for and those that were free.
  void* allocate(const std::string& name, std::uint64_t bytes) {
    void* pointer = nullptr;
    const auto result = try_allocate(&pointer, name, bytes);
    if (Api::succeeded(result)) return pointer;
    if (Api::is_out_of_memory(result)) throw out_of_memory(name, bytes);
    check<Api>(result, fmt::format("allocating {} bytes for {}", bytes, name).c_str(), device_id_);
    return nullptr;
  }

  /// For callers that know result codes only, such as VkFFT: a refusal is remembered, see refusal().
  typename Api::Result try_allocate(void** pointer, const std::string& name, std::uint64_t bytes) {
    const auto result = Api::allocate(pointer, static_cast<std::size_t>(bytes));
    if (!Api::succeeded(result)) {
      *pointer = nullptr;
      if (Api::is_out_of_memory(result)) refusal_ = out_of_memory(name, bytes);
      return result;
    }
    blocks_.emplace(*pointer, Block{name, bytes});
    trace("allocated " + name, account_.add(bytes));
    return result;
  }

  typename Api::Result release(void* pointer) noexcept {
    const auto found = blocks_.find(pointer);
    if (found == blocks_.end()) return Api::release(pointer);
    const Block block = std::move(found->second);
    blocks_.erase(found);
    const auto result = Api::release(pointer);
    const std::uint64_t used_bytes = account_.subtract(block.bytes);
    try {
      trace("released " + block.name, used_bytes);
    } catch (...) {  // a trace that throws must not stop the giving back
    }
    return result;
  }

  /// Page-locked host memory: copies from and to it need no staging and do not block.
  std::byte* allocate_pinned(const std::string& name, std::uint64_t bytes) {
    void* pointer = nullptr;
    const auto result = Api::allocate_pinned(&pointer, static_cast<std::size_t>(std::max<std::uint64_t>(bytes, 1)));
    if (Api::is_out_of_memory(result)) {
      throw OutOfMemory(fmt::format("{}: no {} bytes of page-locked host memory for {}; use smaller tiles (a lower "
                                    "memory limit)",
                                    device_id_, bytes, name),
                        bytes, 0, "page-locked host memory");
    }
    check<Api>(result, "allocating page-locked host memory", device_id_);
    pinned_.push_back(pointer);
    return static_cast<std::byte*>(pointer);
  }
  void release_pinned(std::byte* pointer) noexcept {
    const auto found = std::find(pinned_.begin(), pinned_.end(), static_cast<void*>(pointer));
    if (found == pinned_.end()) return;
    pinned_.erase(found);
    Api::release_pinned(pointer);
  }

  /// The first allocation that the device refused for want of memory.
  const std::optional<OutOfMemory>& refusal() const { return refusal_; }

 private:
  struct Block {
    std::string name;
    std::uint64_t bytes;
  };

  void trace(const std::string& step, std::uint64_t used_bytes) const {
    if (trace_) trace_(step, used_bytes);
  }

  OutOfMemory out_of_memory(const std::string& name, std::uint64_t bytes) const {
    std::size_t free_bytes = 0;
    std::size_t total_bytes = 0;
    static_cast<void>(Api::memory_info(&free_bytes, &total_bytes));
    return OutOfMemory(fmt::format("{}: {} needs {} bytes, but {} of the device's {} bytes are free (convoy holds {}); "
                                   "set a lower memory limit, or end what else uses the device",
                                   device_id_, name, bytes, free_bytes, total_bytes, account_.used_bytes()),
                       bytes, free_bytes, "free device memory");
  }

  MemoryAccount& account_;
  TraceMemory trace_;
  std::string device_id_;
  std::map<void*, Block> blocks_;
  std::vector<void*> pinned_;
  std::optional<OutOfMemory> refusal_;
};

/// The memory that VkFFT's own allocations in this thread are entered into.
template <class Api>
inline thread_local DeviceMemory<Api>* charged_memory = nullptr;

template <class Api>
class ChargeTo {
 public:
  explicit ChargeTo(DeviceMemory<Api>& memory) : previous_(std::exchange(charged_memory<Api>, &memory)) {}
  ~ChargeTo() { charged_memory<Api> = previous_; }
  ChargeTo(const ChargeTo&) = delete;
  ChargeTo& operator=(const ChargeTo&) = delete;

 private:
  DeviceMemory<Api>* previous_;
};

}  // namespace convoy::backend::gpu
