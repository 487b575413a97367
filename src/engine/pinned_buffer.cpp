#include "convoy/pinned_buffer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "backends/backend.hpp"
#include "convoy/error.hpp"

namespace convoy {
namespace {

std::shared_ptr<std::byte> ordinary_memory(std::uint64_t bytes) {
  constexpr std::uint64_t kPageBytes = 4096;
  const std::uint64_t pages = saturating_sum(bytes, kPageBytes - 1) / kPageBytes;
  void* memory = std::aligned_alloc(kPageBytes, static_cast<std::size_t>(pages * kPageBytes));
  if (memory == nullptr) {
    throw OutOfMemory(fmt::format("the machine has no {} bytes for a buffer", bytes), bytes, 0,
                      "memory of this process");
  }
  return {static_cast<std::byte*>(memory), [](std::byte* given) { std::free(given); }};
}

}  // namespace

PinnedBuffer::PinnedBuffer(const Device& device, std::uint64_t size_bytes) : size_bytes_(size_bytes) {
  const std::uint64_t bytes = std::max<std::uint64_t>(size_bytes, 1);
  memory_ = implementation_of(device).allocate_host(bytes);
  if (!memory_) memory_ = ordinary_memory(bytes);
}

}  // namespace convoy
