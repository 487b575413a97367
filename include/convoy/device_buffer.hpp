// Memory on a device, for images that stay there between convolutions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "convoy/export.h"
#include "convoy/resident.hpp"

namespace convoy::backend {
class Memory;
}

namespace convoy::inline v0 {

/// Device memory that convoy allocates, for programs that have no other way to it: cuda and hip addresses, Vulkan
/// buffers, ordinary memory on the cpu. Whole images are copied in and out; ResidentConvolver works on array().
class CONVOY_API DeviceBuffer {
 public:
  DeviceBuffer() = default;
  /// Contents are undefined. Throws OutOfMemory, Error(device_lost).
  DeviceBuffer(const Device& device, std::uint64_t size_bytes);
  ~DeviceBuffer();
  DeviceBuffer(DeviceBuffer&&) noexcept;
  DeviceBuffer& operator=(DeviceBuffer&&) noexcept;

  std::uint64_t size_bytes() const { return size_bytes_; }
  /// The first batch * shape voxels as images of that element, one behind the other. Throws Error(invalid_argument) if
  /// the buffer holds fewer.
  DeviceArray array(Element element, const Shape& shape, Index batch = 1) const;

  /// Copies from the host to byte `offset` on, and from there to the host. Block; what runs queued on the default
  /// stream (DeviceStream{}) do with the buffer is done first. Throw Error(invalid_argument) beyond the buffer's end,
  /// Error(device_lost).
  void write(std::span<const std::byte> bytes, std::uint64_t offset = 0);
  void read(std::span<std::byte> bytes, std::uint64_t offset = 0) const;

 private:
  void require_inside(std::uint64_t bytes, std::uint64_t offset) const;

  std::unique_ptr<backend::Memory> memory_;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace convoy::inline v0
