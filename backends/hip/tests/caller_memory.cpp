// Memory and streams as a caller of HIP has them, for the tests of device arrays.
#include "support/caller_memory.hpp"

#include <vector>

#include "support/device_under_test.hpp"
#include "support/library_calls.hpp"

namespace {

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
      convoy::SharedLibrary({"libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5"}, "CONVOY_HIP_LIBRARY");
  void* stream_ = nullptr;
  std::vector<void*> blocks_;
};

}  // namespace

std::unique_ptr<CallerMemory> hip_caller_memory() { return std::make_unique<HipMemory>(); }
