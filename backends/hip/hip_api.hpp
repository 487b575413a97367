// The calls of HIP under the names that backends/gpu uses.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "backends/gpu/rectangle.hpp"
#include "backends/hip/hip_driver.hpp"
#include "convoy/error.hpp"
#include "kernels/kernel_files.hpp"

namespace convoy::backend::hip {

struct Vkfft;

struct Api {
  static constexpr const char* kName = "hip";
  static constexpr const char* kTextExtension = "hip";

  struct Handle {
    int ordinal = 0;
    hipDevice_t device = 0;
  };
  using Result = hipError_t;
  using Stream = hipStream_t;
  using Event = hipEvent_t;
  using Module = hipModule_t;
  using Function = hipFunction_t;
  using Vkfft = hip::Vkfft;  // hip_vkfft.hpp

  static bool succeeded(Result result) { return result == hipSuccess; }
  static bool is_out_of_memory(Result result) { return result == hipErrorOutOfMemory; }
  /// After these every further call on the device fails the same way.
  static bool is_fatal(Result result);
  static bool is_unsupported(Result result);
  static std::string error_text(Result result) { return hip::error_text(result); }

  /// Throws Error(backend_unavailable) if the runtime does not give the device.
  static Handle open(int ordinal, const std::string& device_id);
  static void close(const Handle&) {}  // the runtime keeps its devices

  class Current {
   public:
    explicit Current(const Handle& handle) {
      if (hipGetDevice(&previous_) != hipSuccess) previous_ = handle.ordinal;
      result_ = hipSetDevice(handle.ordinal);
      changed_ = previous_ != handle.ordinal;
    }
    ~Current() {
      if (changed_) static_cast<void>(hipSetDevice(previous_));
    }
    Current(const Current&) = delete;
    Current& operator=(const Current&) = delete;
    Result result() const { return result_; }

   private:
    int previous_ = 0;
    bool changed_ = false;
    Result result_ = hipSuccess;
  };

  static Result memory_info(std::size_t* free_bytes, std::size_t* total_bytes) {
    return hipMemGetInfo(free_bytes, total_bytes);
  }
  static Result allocate(void** pointer, std::size_t bytes) { return driver_malloc(pointer, bytes); }
  static Result release(void* pointer) { return driver_free(pointer); }
  static Result allocate_pinned(void** pointer, std::size_t bytes) { return driver_host_malloc(pointer, bytes, 0); }
  static void release_pinned(void* pointer) { static_cast<void>(hipHostFree(pointer)); }
  static bool is_pinned(const void* pointer) {
    unsigned flags = 0;
    return hipHostGetFlags(&flags, const_cast<void*>(pointer)) == hipSuccess;
  }

  static Result create_stream(Stream* stream) { return hipStreamCreateWithFlags(stream, hipStreamNonBlocking); }
  static void destroy_stream(Stream stream) { static_cast<void>(hipStreamDestroy(stream)); }
  static Result synchronize_stream(Stream stream) { return hipStreamSynchronize(stream); }
  static Result create_event(Event* event) { return hipEventCreateWithFlags(event, hipEventDisableTiming); }
  static void destroy_event(Event event) { static_cast<void>(hipEventDestroy(event)); }
  static Result record(Event event, Stream stream) { return hipEventRecord(event, stream); }
  static Result make_wait(Stream stream, Event event) { return hipStreamWaitEvent(stream, event, 0); }
  static Result synchronize_event(Event event) { return hipEventSynchronize(event); }

  static Result upload(void* slot, const void* host, const gpu::Rectangle& rectangle, Stream stream);
  static Result download(void* host, const void* slot, const gpu::Rectangle& rectangle, Stream stream);
  static Result upload_now(void* to, const void* from, std::size_t bytes) {
    return hipMemcpy(to, from, bytes, hipMemcpyHostToDevice);
  }
  static Result download_now(void* to, const void* from, std::size_t bytes) {
    return hipMemcpy(to, from, bytes, hipMemcpyDeviceToHost);
  }
  static Result fill(void* to, unsigned char value, std::uint64_t bytes, Stream stream) {
    return hipMemsetAsync(to, value, bytes, stream);
  }

  /// Machine code of a text for the current device. Throws Error(compile_failed) with the compiler's log.
  static std::string compile(const KernelSource& source, const std::string& kernel_name, const std::string& architecture);
  static Result load_module(Module* module, const void* code) {
    return hipModuleLoadDataEx(module, code, 0, nullptr, nullptr);
  }
  static Result find_function(Function* function, Module module, const char* name) {
    return hipModuleGetFunction(function, module, name);
  }
  static void unload_module(Module module) { static_cast<void>(hipModuleUnload(module)); }
  static Result launch(Function function, const std::array<std::uint64_t, 3>& groups,
                       const std::array<std::uint32_t, 3>& threads, std::uint64_t shared_bytes, Stream stream,
                       void** arguments, bool) {
    return hipModuleLaunchKernel(function, static_cast<unsigned>(groups[0]), static_cast<unsigned>(groups[1]),
                                 static_cast<unsigned>(groups[2]), threads[0], threads[1], threads[2],
                                 static_cast<unsigned>(shared_bytes), stream, arguments, nullptr);
  }
  static bool launches_overlap(const Handle&) { return false; }
  /// HIP needs no leave for what the hardware has.
  static Result allow_shared(Function, std::uint64_t) { return hipSuccess; }
};

}  // namespace convoy::backend::hip
