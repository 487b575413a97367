// Memory for images that go to a device and come from it without detours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "convoy/device.hpp"
#include "convoy/export.h"

namespace convoy::inline v0 {

/// Page-locked host memory that the device copies from and to at the full speed of its bus: images in it, in the
/// precision of the arithmetic (f32 or f64), are transferred from where they lie. Making it is slow (some tenths of a
/// second a GiB), so keep it. On devices that have no such memory (cpu, vulkan) it is ordinary memory, and right too.
class CONVOY_API PinnedBuffer {
 public:
  PinnedBuffer() = default;
  /// Blocks. Contents are undefined. Throws OutOfMemory.
  PinnedBuffer(const Device& device, std::uint64_t size_bytes);

  std::byte* data() { return memory_.get(); }
  const std::byte* data() const { return memory_.get(); }
  std::uint64_t size_bytes() const { return size_bytes_; }

  /// The whole buffer as voxels; a rest too small for one is left out.
  template <class T>
  std::span<T> as() {
    return {reinterpret_cast<T*>(memory_.get()), static_cast<std::size_t>(size_bytes_) / sizeof(T)};
  }

 private:
  std::shared_ptr<std::byte> memory_;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace convoy::inline v0
