// The calls of CUDA under the names that backends/gpu uses.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "backends/cuda/cuda_driver.hpp"
#include "backends/gpu/rectangle.hpp"
#include "convoy/error.hpp"
#include "kernels/kernel_files.hpp"

namespace convoy::backend::cuda {

struct Vkfft;

struct Api {
  static constexpr const char* kName = "cuda";
  static constexpr const char* kTextExtension = "cu";

  struct Handle {
    CUdevice device = 0;
    CUcontext context = nullptr;  // the device's primary context, retained
    int compute_major = 0;
  };
  using Result = CUresult;
  using Stream = CUstream;
  using Event = CUevent;
  using Module = CUmodule;
  using Function = CUfunction;
  using Vkfft = cuda::Vkfft;  // cuda_vkfft.hpp

  static bool succeeded(Result result) { return result == CUDA_SUCCESS; }
  static bool is_out_of_memory(Result result) { return result == CUDA_ERROR_OUT_OF_MEMORY; }
  /// After these every further call in the context fails the same way.
  static bool is_fatal(Result result);
  static bool is_unsupported(Result result);
  static std::string error_text(Result result) { return cuda::error_text(result); }

  /// Throws Error(backend_unavailable) if the driver gives no context.
  static Handle open(int ordinal, const std::string& device_id);
  static void close(const Handle& handle) { cuDevicePrimaryCtxRelease(handle.device); }

  class Current {
   public:
    explicit Current(const Handle& handle) : result_(cuCtxPushCurrent(handle.context)) {}
    ~Current() {
      CUcontext popped = nullptr;
      if (result_ == CUDA_SUCCESS) cuCtxPopCurrent(&popped);
    }
    Current(const Current&) = delete;
    Current& operator=(const Current&) = delete;
    Result result() const { return result_; }

   private:
    Result result_;
  };

  static CUdeviceptr device_pointer(const void* pointer) { return reinterpret_cast<CUdeviceptr>(pointer); }

  static Result memory_info(std::size_t* free_bytes, std::size_t* total_bytes) {
    return cuMemGetInfo(free_bytes, total_bytes);
  }
  static Result allocate(void** pointer, std::size_t bytes) {
    CUdeviceptr address = 0;
    const Result result = cuMemAlloc(&address, bytes);
    *pointer = reinterpret_cast<void*>(address);
    return result;
  }
  static Result release(void* pointer) {
    return pointer != nullptr ? cuMemFree(device_pointer(pointer)) : CUDA_SUCCESS;
  }
  static Result allocate_pinned(void** pointer, std::size_t bytes) { return cuMemAllocHost(pointer, bytes); }
  static void release_pinned(void* pointer) { static_cast<void>(cuMemFreeHost(pointer)); }
  static bool is_pinned(const void* pointer) {
    CUmemorytype type{};
    const Result result = cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, device_pointer(pointer));
    return result == CUDA_SUCCESS && type == CU_MEMORYTYPE_HOST;
  }

  static Result create_stream(Stream* stream) { return cuStreamCreate(stream, CU_STREAM_NON_BLOCKING); }
  static void destroy_stream(Stream stream) { static_cast<void>(cuStreamDestroy(stream)); }
  static Result synchronize_stream(Stream stream) { return cuStreamSynchronize(stream); }
  static Result create_event(Event* event) { return cuEventCreate(event, CU_EVENT_DISABLE_TIMING); }
  static void destroy_event(Event event) { static_cast<void>(cuEventDestroy(event)); }
  static Result record(Event event, Stream stream) { return cuEventRecord(event, stream); }
  static Result make_wait(Stream stream, Event event) { return cuStreamWaitEvent(stream, event, 0); }
  static Result synchronize_event(Event event) { return cuEventSynchronize(event); }

  static Result upload(void* slot, const void* host, const gpu::Rectangle& rectangle, Stream stream);
  static Result download(void* host, const void* slot, const gpu::Rectangle& rectangle, Stream stream);
  static Result upload_now(void* to, const void* from, std::size_t bytes) {
    return cuMemcpyHtoD(device_pointer(to), from, bytes);
  }
  static Result download_now(void* to, const void* from, std::size_t bytes) {
    return cuMemcpyDtoH(to, device_pointer(from), bytes);
  }
  static Result fill(void* to, unsigned char value, std::uint64_t bytes, Stream stream) {
    return cuMemsetD8Async(device_pointer(to), value, bytes, stream);
  }

  /// Machine code of a text for "sm_90" and the like. Throws Error(compile_failed) with the compiler's log.
  static std::string compile(const KernelSource& source, const std::string& kernel_name, const std::string& architecture);
  static Result load_module(Module* module, const void* code) {
    return cuModuleLoadDataEx(module, code, 0, nullptr, nullptr);
  }
  static Result find_function(Function* function, Module module, const char* name) {
    return cuModuleGetFunction(function, module, name);
  }
  static void unload_module(Module module) { static_cast<void>(cuModuleUnload(module)); }
  /// `programmatic_dependent_launch`: KernelSpec::programmatic_dependent_launch, where launches_overlap() allows it.
  static Result launch(Function function, const std::array<std::uint64_t, 3>& groups,
                       const std::array<std::uint32_t, 3>& threads, std::uint64_t shared_bytes, Stream stream,
                       void** arguments, bool programmatic_dependent_launch);
  /// Programmatic dependent launches: compute capability 9.0, CUDA 11.8.
  static bool launches_overlap(const Handle& handle);
  /// Before a launch with more than 48 KiB.
  static Result allow_shared(Function function, std::uint64_t shared_bytes) {
    return cuFuncSetAttribute(function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                              static_cast<int>(shared_bytes));
  }
};

}  // namespace convoy::backend::cuda
