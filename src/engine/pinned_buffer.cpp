#include "convoy/pinned_buffer.hpp"

#include <algorithm>

#include "backends/backend.hpp"
#include "base/host_memory.hpp"

namespace convoy::inline v0 {

PinnedBuffer::PinnedBuffer(const Device& device, std::uint64_t size_bytes) : size_bytes_(size_bytes) {
  const std::uint64_t bytes = std::max<std::uint64_t>(size_bytes, 1);
  memory_ = implementation_of(device).allocate_host(bytes);
  if (!memory_) memory_ = allocate_host(bytes);
}

}  // namespace convoy::inline v0
