#include "convoy/device_buffer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "backends/backend.hpp"
#include "convoy/error.hpp"

namespace convoy::inline v0 {

DeviceBuffer::DeviceBuffer(const Device& device, std::uint64_t size_bytes)
    : memory_(implementation_of(device).allocate(std::max<std::uint64_t>(size_bytes, 1))), size_bytes_(size_bytes) {}
DeviceBuffer::~DeviceBuffer() = default;
DeviceBuffer::DeviceBuffer(DeviceBuffer&&) noexcept = default;
DeviceBuffer& DeviceBuffer::operator=(DeviceBuffer&&) noexcept = default;

DeviceArray DeviceBuffer::array(Element element, const Shape& shape, Index batch) const {
  require_inside(saturating_product(static_cast<std::uint64_t>(num_voxels(shape)) * size_of(element),
                                    static_cast<std::uint64_t>(batch)),
                 0);
  DeviceArray array(memory_ ? memory_->handle() : 0, element, shape);
  array.batch = batch;
  return array;
}

void DeviceBuffer::write(std::span<const std::byte> bytes, std::uint64_t offset) {
  require_inside(bytes.size(), offset);
  if (!bytes.empty()) memory_->write(offset, bytes);
}

void DeviceBuffer::read(std::span<std::byte> bytes, std::uint64_t offset) const {
  require_inside(bytes.size(), offset);
  if (!bytes.empty()) memory_->read(offset, bytes);
}

void DeviceBuffer::require_inside(std::uint64_t bytes, std::uint64_t offset) const {
  if (offset <= size_bytes_ && bytes <= size_bytes_ - offset) return;
  throw Error(
      Errc::invalid_argument,
      fmt::format("{} bytes from byte {} on leave the device buffer, which has {} bytes", bytes, offset, size_bytes_));
}

}  // namespace convoy::inline v0
