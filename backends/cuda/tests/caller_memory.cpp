// Memory and streams as a caller of CUDA has them, for the tests of device arrays.
#include "support/caller_memory.hpp"

#include <vector>

#include "support/device_under_test.hpp"
#include "support/library_calls.hpp"

namespace {

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

std::unique_ptr<CallerMemory> cuda_caller_memory() { return std::make_unique<CudaMemory>(); }
