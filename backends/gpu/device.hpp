// A CUDA or HIP device, and the devices of a backend that are open.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>

#include "backends/gpu/session.hpp"
#include "base/host_memory.hpp"

namespace convoy::backend::gpu {

/// Counted in the device's account. What the default stream still has to do with it is waited for by the driver's
/// blocking copies.
template <class Api>
class HeldMemory final : public Memory {
 public:
  HeldMemory(std::shared_ptr<OpenDevice<Api>> opened, std::uint64_t bytes)
      : opened_(std::move(opened)), memory_(opened_->account, {}, opened_->info.id) {
    const Entered<Api> entered(*opened_);
    pointer_ = static_cast<std::byte*>(memory_.allocate("a device buffer", bytes));
  }
  ~HeldMemory() override {
    const typename Api::Current current(opened_->handle);
    static_cast<void>(memory_.release(pointer_));
  }
  std::uint64_t handle() const override { return reinterpret_cast<std::uintptr_t>(pointer_); }
  void write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    const Entered<Api> entered(*opened_);
    check<Api>(Api::upload_now(pointer_ + offset, bytes.data(), bytes.size()), "copying to a device buffer",
               opened_->info.id);
  }
  void read(std::uint64_t offset, std::span<std::byte> bytes) const override {
    const Entered<Api> entered(*opened_);
    check<Api>(Api::download_now(bytes.data(), pointer_ + offset, bytes.size()), "copying from a device buffer",
               opened_->info.id);
  }

 private:
  std::shared_ptr<OpenDevice<Api>> opened_;
  DeviceMemory<Api> memory_;
  std::byte* pointer_ = nullptr;
};

/// Where the memory is the machine's, no more of it is free than the machine has.
inline void bound_by_host(Limits& limits) {
  if (limits.memory_is_host) limits.free_bytes = std::min(limits.free_bytes, available_host_bytes());
}

template <class Api>
class GpuDevice final : public Device {
 public:
  explicit GpuDevice(std::shared_ptr<OpenDevice<Api>> opened) : opened_(std::move(opened)) {}

  const DeviceInfo& info() const override { return opened_->info; }
  Limits limits() const override {
    const Entered<Api> entered(*opened_);
    Limits limits = opened_->info.limits;
    std::size_t free_bytes = 0;
    std::size_t total_bytes = 0;
    check<Api>(Api::memory_info(&free_bytes, &total_bytes), "asking for free memory", opened_->info.id);
    limits.free_bytes = free_bytes;
    limits.total_bytes = total_bytes;
    bound_by_host(limits);
    return limits;
  }
  std::uint64_t used_bytes() const override { return opened_->account.used_bytes(); }
  std::uint64_t peak_bytes() const override { return opened_->account.peak_bytes(); }
  void reset_peak() override { opened_->account.reset_peak(); }
  bool is_dma_accessible(const void* data, std::uint64_t bytes) const override {
    const Entered<Api> entered(*opened_);
    return Api::is_pinned(data) && Api::is_pinned(static_cast<const std::byte*>(data) + bytes - 1);
  }
  std::shared_ptr<std::byte> allocate_host(std::uint64_t bytes) override {
    const Entered<Api> entered(*opened_);
    void* pointer = nullptr;
    const auto result = Api::allocate_pinned(&pointer, static_cast<std::size_t>(bytes));
    if (Api::is_out_of_memory(result)) {
      throw OutOfMemory(fmt::format("{}: no {} bytes of page-locked host memory", opened_->info.id, bytes), bytes, 0,
                        "page-locked host memory");
    }
    check<Api>(result, "allocating page-locked host memory", opened_->info.id);
    return {static_cast<std::byte*>(pointer), [opened = opened_](std::byte* memory) {
              const typename Api::Current current(opened->handle);
              Api::release_pinned(memory);
            }};
  }
  std::unique_ptr<Memory> allocate(std::uint64_t bytes) override {
    return std::make_unique<HeldMemory<Api>>(opened_, bytes);
  }
  std::unique_ptr<Session> load(const Program& program, const LoadOptions& options) override {
    return std::make_unique<GpuSession<Api>>(opened_, program, options);
  }

 private:
  std::shared_ptr<OpenDevice<Api>> opened_;
};

/// One OpenDevice per ordinal, however often it is opened, so that all sessions are in one account.
template <class Api>
class OpenDevices {
 public:
  /// `describe` returns the DeviceInfo of the ordinal.
  template <class Describe>
  std::shared_ptr<Device> open(int ordinal, const Describe& describe) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<OpenDevice<Api>> opened = opened_[ordinal].lock();
    if (!opened) {
      const DeviceInfo info = describe(ordinal);
      opened = std::make_shared<OpenDevice<Api>>(Api::open(ordinal, info.id), info);
      opened_[ordinal] = opened;
    }
    auto device = std::make_shared<GpuDevice<Api>>(std::move(opened));
    return device;
  }

 private:
  std::mutex mutex_;
  std::map<int, std::weak_ptr<OpenDevice<Api>>> opened_;
};

}  // namespace convoy::backend::gpu
