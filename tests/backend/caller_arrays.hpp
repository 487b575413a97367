// Arrays between margins in the memory of the device under test, allocated as callers do.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "base/voxel_rows.hpp"
#include "support/caller_memory.hpp"
#include "support/device_under_test.hpp"

namespace {

using namespace convoy;

constexpr std::size_t kMargin = 4096;
constexpr auto kMarginByte = std::byte{0xA5};

CallerMemory& memory() {
  static const std::unique_ptr<CallerMemory> made = caller_memory();
  return *made;
}

Device device() {
  static const Device opened = memory().device();
  return opened;
}

/// An array between margins.
class Array {
 public:
  Array(Element element, const Shape& shape, Index batch = 1)
      : bytes_(static_cast<std::size_t>(num_voxels(shape) * batch) * size_of(element)),
        array_(memory().allocate(bytes_ + 2 * kMargin), element, shape) {
    array_.offset_bytes = kMargin;
    array_.batch = batch;
    fill(std::byte{0xFF});  // NaN: a voxel that is not written cannot pass
  }

  const DeviceArray& get() const { return array_; }

  void fill(std::byte value) {
    std::vector<std::byte> all(bytes_ + 2 * kMargin, kMarginByte);
    std::fill_n(all.begin() + kMargin, bytes_, value);
    memory().write(array_.handle, all);
  }
  void set(const std::vector<double>& values) {
    std::vector<std::byte> all(bytes_ + 2 * kMargin, kMarginByte);
    with_element(array_.element, [&](auto voxel) {
      using T = decltype(voxel);
      for (std::size_t i = 0; i < values.size(); ++i) {
        const auto value = static_cast<T>(values[i]);
        std::memcpy(all.data() + kMargin + i * sizeof value, &value, sizeof value);
      }
    });
    memory().write(array_.handle, all);
  }
  /// Fails if a margin was written.
  std::vector<double> values() const {
    std::vector<std::byte> all(bytes_ + 2 * kMargin);
    memory().read(array_.handle, all);
    const auto untouched = [](std::byte byte) { return byte == kMarginByte; };
    CHECK(std::all_of(all.begin(), all.begin() + kMargin, untouched));
    CHECK(std::all_of(all.end() - kMargin, all.end(), untouched));
    std::vector<double> values;
    with_element(array_.element, [&](auto voxel) {
      for (std::size_t i = 0; i < bytes_ / sizeof voxel; ++i) {
        std::memcpy(&voxel, all.data() + kMargin + i * sizeof voxel, sizeof voxel);
        values.push_back(static_cast<double>(voxel));
      }
    });
    return values;
  }

 private:
  std::size_t bytes_;
  DeviceArray array_;
};

}  // namespace
