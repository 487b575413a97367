// Memory of the device under test as a caller of ResidentConvolver has it: allocated with the API itself.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "convoy/convoy.hpp"

class CallerMemory {
 public:
  virtual ~CallerMemory() = default;
  /// The device that the memory belongs to.
  virtual convoy::Device device() = 0;
  /// What DeviceArray::handle wants. Given back with this object.
  virtual std::uint64_t allocate(std::size_t bytes) = 0;
  /// Both wait for all that the stream holds.
  virtual void write(std::uint64_t handle, std::span<const std::byte> bytes) = 0;
  virtual void read(std::uint64_t handle, std::span<std::byte> bytes) = 0;
  /// A stream of the caller's own.
  virtual convoy::DeviceStream stream() = 0;
};

/// For the device that CONVOY_TEST_DEVICE names; ends the program as device_under_test() does when it is not there.
std::unique_ptr<CallerMemory> caller_memory();

/// As backends/NAME/tests/caller_memory.cpp has it; null where there is no such file: then it is host memory.
std::unique_ptr<CallerMemory> caller_memory_of(const std::string& backend);
