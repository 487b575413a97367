// The little of CUDA's driver and run-time compiler that measuring needs, opened at run time: copy rates of the machine
// and the cuFFT peer. Nothing of it is linked or included; the signatures are from the documented interfaces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/shared_library.hpp"

namespace convoy::bench {

using CudaAddress = unsigned long long;
struct CudaContextTag;
struct CudaEventTag;
struct CudaModuleTag;
struct CudaFunctionTag;
struct CudaStreamTag;
struct NvrtcProgramTag;

struct CudaUuid {
  unsigned char bytes[16];
};

// member, symbol, parameters; all return 0 for success.
#define CONVOY_BENCH_CUDA_FUNCTIONS(X)                                                                                \
  X(init, "cuInit", unsigned)                                                                                         \
  X(driver_get_version, "cuDriverGetVersion", int*)                                                                   \
  X(get_error_name, "cuGetErrorName", int, const char**)                                                              \
  X(device_get_count, "cuDeviceGetCount", int*)                                                                       \
  X(device_get, "cuDeviceGet", int*, int)                                                                             \
  X(device_get_name, "cuDeviceGetName", char*, int, int)                                                              \
  X(device_get_uuid, "cuDeviceGetUuid", CudaUuid*, int)                                                               \
  X(device_get_attribute, "cuDeviceGetAttribute", int*, int, int)                                                     \
  X(primary_context_retain, "cuDevicePrimaryCtxRetain", CudaContextTag**, int)                                        \
  X(primary_context_release, "cuDevicePrimaryCtxRelease_v2", int)                                                     \
  X(context_push, "cuCtxPushCurrent_v2", CudaContextTag*)                                                             \
  X(context_pop, "cuCtxPopCurrent_v2", CudaContextTag**)                                                              \
  X(context_synchronize, "cuCtxSynchronize", void)                                                                    \
  X(memory_info, "cuMemGetInfo_v2", std::size_t*, std::size_t*)                                                       \
  X(memory_allocate, "cuMemAlloc_v2", CudaAddress*, std::size_t)                                                      \
  X(memory_free, "cuMemFree_v2", CudaAddress)                                                                         \
  X(host_allocate, "cuMemHostAlloc", void**, std::size_t, unsigned)                                                   \
  X(host_free, "cuMemFreeHost", void*)                                                                                \
  X(copy_on_device, "cuMemcpyDtoDAsync_v2", CudaAddress, CudaAddress, std::size_t, CudaStreamTag*)                    \
  X(copy_to_device, "cuMemcpyHtoDAsync_v2", CudaAddress, const void*, std::size_t, CudaStreamTag*)                    \
  X(copy_to_host, "cuMemcpyDtoHAsync_v2", void*, CudaAddress, std::size_t, CudaStreamTag*)                            \
  X(fill_bytes, "cuMemsetD8Async", CudaAddress, unsigned char, std::size_t, CudaStreamTag*)                           \
  X(stream_create, "cuStreamCreate", CudaStreamTag**, unsigned)                                                       \
  X(stream_synchronize, "cuStreamSynchronize", CudaStreamTag*)                                                        \
  X(stream_destroy, "cuStreamDestroy_v2", CudaStreamTag*)                                                             \
  X(event_create, "cuEventCreate", CudaEventTag**, unsigned)                                                          \
  X(event_record, "cuEventRecord", CudaEventTag*, CudaStreamTag*)                                                     \
  X(event_synchronize, "cuEventSynchronize", CudaEventTag*)                                                           \
  X(event_elapsed, "cuEventElapsedTime", float*, CudaEventTag*, CudaEventTag*)                                        \
  X(event_destroy, "cuEventDestroy_v2", CudaEventTag*)                                                                \
  X(module_load, "cuModuleLoadData", CudaModuleTag**, const void*)                                                    \
  X(module_unload, "cuModuleUnload", CudaModuleTag*)                                                                  \
  X(module_function, "cuModuleGetFunction", CudaFunctionTag**, CudaModuleTag*, const char*)                           \
  X(launch, "cuLaunchKernel", CudaFunctionTag*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, \
    CudaStreamTag*, void**, void**)

#define CONVOY_BENCH_NVRTC_FUNCTIONS(X)                                                                 \
  X(create, "nvrtcCreateProgram", NvrtcProgramTag**, const char*, const char*, int, const char* const*, \
    const char* const*)                                                                                 \
  X(compile, "nvrtcCompileProgram", NvrtcProgramTag*, int, const char* const*)                          \
  X(log_size, "nvrtcGetProgramLogSize", NvrtcProgramTag*, std::size_t*)                                 \
  X(log, "nvrtcGetProgramLog", NvrtcProgramTag*, char*)                                                 \
  X(code_size, "nvrtcGetCUBINSize", NvrtcProgramTag*, std::size_t*)                                     \
  X(code, "nvrtcGetCUBIN", NvrtcProgramTag*, char*)                                                     \
  X(destroy, "nvrtcDestroyProgram", NvrtcProgramTag**)

#define CONVOY_BENCH_DECLARE(member, symbol, ...) int (*member)(__VA_ARGS__) = nullptr;

/// Driver calls. Opened and initialised on first use.
struct CudaDriver {
  CONVOY_BENCH_CUDA_FUNCTIONS(CONVOY_BENCH_DECLARE)

  static const CudaDriver& instance();
  /// Empty if the driver is there and has a device, else why it is of no use.
  static const std::string& why_not();
  /// Throws Error(device_lost) naming the call if result is not 0.
  void check(int result, const char* call) const;
  /// "12.4".
  std::string version() const;

 private:
  SharedLibrary library_;
  std::string why_not_;
  void open();
};

struct Nvrtc {
  CONVOY_BENCH_NVRTC_FUNCTIONS(CONVOY_BENCH_DECLARE)

  static const Nvrtc& instance();
  static const std::string& why_not();
  /// Machine code for the architecture ("sm_90"). Throws Error(compile_failed) with the compiler's log.
  std::string compile_for(const std::string& architecture, const char* text) const;

 private:
  SharedLibrary library_;
  std::string why_not_;
  void open();
};

/// The device's primary context (the one that convoy and cuFFT use too), current while this lives.
class CudaContext {
 public:
  explicit CudaContext(int ordinal);
  ~CudaContext();
  CudaContext(const CudaContext&) = delete;
  CudaContext& operator=(const CudaContext&) = delete;

  /// "sm_90".
  std::string architecture() const;
  std::string device_name() const;

 private:
  int device_ = 0;
};

/// Device memory. Throws OutOfMemory.
class CudaBuffer {
 public:
  explicit CudaBuffer(std::size_t bytes);
  ~CudaBuffer();
  CudaBuffer(const CudaBuffer&) = delete;
  CudaBuffer& operator=(const CudaBuffer&) = delete;
  CudaAddress address() const { return address_; }
  void* pointer() const { return reinterpret_cast<void*>(address_); }

 private:
  CudaAddress address_ = 0;
};

/// Page-locked host memory.
class CudaPinnedBuffer {
 public:
  explicit CudaPinnedBuffer(std::size_t bytes);
  ~CudaPinnedBuffer();
  CudaPinnedBuffer(const CudaPinnedBuffer&) = delete;
  CudaPinnedBuffer& operator=(const CudaPinnedBuffer&) = delete;
  void* data() const { return data_; }

 private:
  void* data_ = nullptr;
};

/// A stream of its own. The context must be current.
class CudaStream {
 public:
  CudaStream();
  ~CudaStream();
  CudaStream(const CudaStream&) = delete;
  CudaStream& operator=(const CudaStream&) = delete;
  CudaStreamTag* handle() const { return stream_; }
  /// Waits for all that was queued.
  void synchronize() const;

 private:
  CudaStreamTag* stream_ = nullptr;
};

/// Two events round what is queued on the default stream. The context must be current.
class CudaTimer {
 public:
  CudaTimer();
  ~CudaTimer();
  CudaTimer(const CudaTimer&) = delete;
  CudaTimer& operator=(const CudaTimer&) = delete;
  /// Waits for it to end.
  double seconds(const std::function<void()>& queue_work);

 private:
  CudaEventTag* start_ = nullptr;
  CudaEventTag* stop_ = nullptr;
};

/// Kernels of one source text, compiled for the current context's device.
class CudaModule {
 public:
  CudaModule(const CudaContext& context, const char* text);
  ~CudaModule();
  CudaModule(const CudaModule&) = delete;
  CudaModule& operator=(const CudaModule&) = delete;
  CudaFunctionTag* function(const char* name) const;

 private:
  CudaModuleTag* module_ = nullptr;
};

/// The ordinal of the CUDA device that the driver knows by this UUID (hexadecimal, with or without dashes), or -1.
int cuda_ordinal_of(const std::string& uuid);

}  // namespace convoy::bench
