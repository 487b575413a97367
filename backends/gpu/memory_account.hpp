// How many bytes convoy holds on a device.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>

namespace convoy::backend::gpu {

class MemoryAccount {
 public:
  /// Returns the bytes held then.
  std::uint64_t add(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    used_bytes_ += bytes;
    peak_bytes_ = std::max(peak_bytes_, used_bytes_);
    return used_bytes_;
  }
  std::uint64_t subtract(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    used_bytes_ -= bytes;
    return used_bytes_;
  }
  std::uint64_t used_bytes() const {
    const std::lock_guard lock(mutex_);
    return used_bytes_;
  }
  std::uint64_t peak_bytes() const {
    const std::lock_guard lock(mutex_);
    return peak_bytes_;
  }
  void reset_peak() {
    const std::lock_guard lock(mutex_);
    peak_bytes_ = used_bytes_;
  }

 private:
  mutable std::mutex mutex_;
  std::uint64_t used_bytes_ = 0;
  std::uint64_t peak_bytes_ = 0;
};

}  // namespace convoy::backend::gpu
