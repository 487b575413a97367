// An open device as its sessions share it, and the way into it.
#pragma once

#include <memory>
#include <string>

#include "backends/gpu/check.hpp"
#include "backends/gpu/device_memory.hpp"
#include "backends/gpu/kernel_cache.hpp"
#include "backends/gpu/memory_account.hpp"
#include "convoy/device.hpp"

namespace convoy::backend::gpu {

/// Closed with the last device or session that holds it.
template <class Api>
struct OpenDevice {
  OpenDevice(typename Api::Handle opened, DeviceInfo described) : handle(opened), info(std::move(described)) {}
  ~OpenDevice() { Api::close(handle); }
  OpenDevice(const OpenDevice&) = delete;
  OpenDevice& operator=(const OpenDevice&) = delete;

  typename Api::Handle handle;
  DeviceInfo info;
  MemoryAccount account;
  KernelCache<Api> kernels;
};

/// Makes the device current in this thread, and what was current before again at the end.
template <class Api>
class Entered {
 public:
  explicit Entered(const OpenDevice<Api>& device) : current_(device.handle) {
    check<Api>(current_.result(), "making the device current in this thread", device.info.id);
  }

 private:
  typename Api::Current current_;
};

}  // namespace convoy::backend::gpu
