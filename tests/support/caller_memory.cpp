#include "support/caller_memory.hpp"

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/shared_library.hpp"
#include "support/device_under_test.hpp"

namespace {

class HostMemory final : public CallerMemory {
 public:
  convoy::Device device() override { return device_under_test(); }
  std::uint64_t allocate(std::size_t bytes) override {
    blocks_.emplace_back(bytes);
    return reinterpret_cast<std::uintptr_t>(blocks_.back().data());
  }
  void write(std::uint64_t handle, std::span<const std::byte> bytes) override {
    std::memcpy(reinterpret_cast<void*>(handle), bytes.data(), bytes.size());
  }
  void read(std::uint64_t handle, std::span<std::byte> bytes) override {
    std::memcpy(bytes.data(), reinterpret_cast<const void*>(handle), bytes.size());
  }
  convoy::DeviceStream stream() override { return {}; }

 private:
  std::vector<std::vector<std::byte>> blocks_;
};

template <class... Arguments>
void call(const convoy::SharedLibrary& library, const char* function, Arguments... arguments) {
  const auto entry = reinterpret_cast<int (*)(Arguments...)>(library.symbol(function));
  if (entry == nullptr) throw std::runtime_error(library.name() + " lacks " + function);
  if (const int result = entry(arguments...); result != 0) {
    throw std::runtime_error(std::string(function) + " returned " + std::to_string(result));
  }
}

class HipMemory final : public CallerMemory {
 public:
  HipMemory() { call(hip_, "hipStreamCreate", &stream_); }
  ~HipMemory() override {
    for (void* block : blocks_) call(hip_, "hipFree", block);
    call(hip_, "hipStreamDestroy", stream_);
  }
  convoy::Device device() override { return device_under_test(); }
  std::uint64_t allocate(std::size_t bytes) override {
    void* block = nullptr;
    call(hip_, "hipMalloc", &block, bytes);
    blocks_.push_back(block);
    return reinterpret_cast<std::uintptr_t>(block);
  }
  void write(std::uint64_t handle, std::span<const std::byte> bytes) override {
    call(hip_, "hipStreamSynchronize", stream_);
    const void* const from = bytes.data();
    call(hip_, "hipMemcpy", reinterpret_cast<void*>(handle), from, bytes.size(), 1);  // host to device
  }
  void read(std::uint64_t handle, std::span<std::byte> bytes) override {
    call(hip_, "hipStreamSynchronize", stream_);
    void* const to = bytes.data();
    call(hip_, "hipMemcpy", to, reinterpret_cast<const void*>(handle), bytes.size(), 2);  // device to host
  }
  convoy::DeviceStream stream() override { return convoy::DeviceStream(stream_); }

 private:
  convoy::SharedLibrary hip_ =
      convoy::SharedLibrary({"libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5"}, "HIP_LIBRARY");
  void* stream_ = nullptr;
  std::vector<void*> blocks_;
};

class CudaMemory final : public CallerMemory {
 public:
  CudaMemory() {
    call(cuda_, "cuDevicePrimaryCtxRetain", &context_, 0);
    call(cuda_, "cuCtxPushCurrent_v2", context_);
    call(cuda_, "cuStreamCreate", &stream_, 0u);
  }
  ~CudaMemory() override {
    for (const std::uint64_t block : blocks_) call(cuda_, "cuMemFree_v2", block);
    call(cuda_, "cuStreamDestroy_v2", stream_);
    void* popped = nullptr;
    call(cuda_, "cuCtxPopCurrent_v2", &popped);
    call(cuda_, "cuDevicePrimaryCtxRelease_v2", 0);
  }
  convoy::Device device() override { return device_under_test(); }
  std::uint64_t allocate(std::size_t bytes) override {
    std::uint64_t block = 0;
    call(cuda_, "cuMemAlloc_v2", &block, bytes);
    blocks_.push_back(block);
    return block;
  }
  void write(std::uint64_t handle, std::span<const std::byte> bytes) override {
    call(cuda_, "cuStreamSynchronize", stream_);
    const void* const from = bytes.data();
    call(cuda_, "cuMemcpyHtoD_v2", handle, from, bytes.size());
  }
  void read(std::uint64_t handle, std::span<std::byte> bytes) override {
    call(cuda_, "cuStreamSynchronize", stream_);
    void* const to = bytes.data();
    call(cuda_, "cuMemcpyDtoH_v2", to, handle, bytes.size());
  }
  convoy::DeviceStream stream() override { return convoy::DeviceStream(stream_); }

 private:
  convoy::SharedLibrary cuda_ = convoy::SharedLibrary({"libcuda.so.1"}, "CONVOY_CUDA_LIBRARY");
  void* context_ = nullptr;
  void* stream_ = nullptr;
  std::vector<std::uint64_t> blocks_;
};

}  // namespace

std::unique_ptr<CallerMemory> caller_memory() {
  const std::string id = device_under_test().info().id;
  if (id.starts_with("vulkan")) return vulkan_caller_memory();
  if (id.starts_with("hip")) return std::make_unique<HipMemory>();
  if (id.starts_with("cuda")) return std::make_unique<CudaMemory>();
  return std::make_unique<HostMemory>();
}
