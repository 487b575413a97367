// AMD's HIP runtime and hiprtc, loaded when first asked for. In this namespace every function that VkFFT and the
// backend call is a pointer with HIP's own name, so that VkFFT, included here, calls through them and nothing is
// linked: a link would tie the program to one of libamdhip64.so.5, .6 and .7.
#pragma once

#include <hip/hip_runtime_api.h>
#include <hip/hiprtc.h>

#include <string>

#include "base/shared_library.hpp"

namespace convoy::backend::hip {

// Only functions that are the same in HIP 5, 6 and 7. hipMalloc and hipHostMalloc are templates too in HIP's headers,
// so their types are written out in hip_driver.cpp.
#define CONVOY_HIP_FUNCTIONS(X) \
  X(hipInit)                    \
  X(hipDriverGetVersion)        \
  X(hipRuntimeGetVersion)       \
  X(hipGetErrorName)            \
  X(hipGetErrorString)          \
  X(hipGetDeviceCount)          \
  X(hipGetDevice)               \
  X(hipSetDevice)               \
  X(hipDeviceGet)               \
  X(hipDeviceGetName)           \
  X(hipDeviceGetAttribute)      \
  X(hipDeviceTotalMem)          \
  X(hipDeviceSynchronize)       \
  X(hipMemGetInfo)              \
  X(hipHostFree)                \
  X(hipHostGetFlags)            \
  X(hipMemcpy)                  \
  X(hipMemcpyAsync)             \
  X(hipMemcpy2DAsync)           \
  X(hipMemsetAsync)             \
  X(hipStreamCreateWithFlags)   \
  X(hipStreamDestroy)           \
  X(hipStreamSynchronize)       \
  X(hipStreamWaitEvent)         \
  X(hipEventCreate)             \
  X(hipEventCreateWithFlags)    \
  X(hipEventDestroy)            \
  X(hipEventRecord)             \
  X(hipEventSynchronize)        \
  X(hipModuleLoadDataEx)        \
  X(hipModuleGetFunction)       \
  X(hipModuleUnload)            \
  X(hipFuncSetAttribute)        \
  X(hipModuleLaunchKernel)

// Null where absent.
#define CONVOY_HIP_OPTIONAL_FUNCTIONS(X) X(hipDeviceGetUuid)

#define CONVOY_HIPRTC_FUNCTIONS(X) \
  X(hiprtcGetErrorString)          \
  X(hiprtcCreateProgram)           \
  X(hiprtcDestroyProgram)          \
  X(hiprtcGetCodeSize)             \
  X(hiprtcGetCode)                 \
  X(hiprtcGetProgramLogSize)       \
  X(hiprtcGetProgramLog)

#define CONVOY_DECLARE(name) extern decltype(&::name) name;
CONVOY_HIP_FUNCTIONS(CONVOY_DECLARE)
CONVOY_HIP_OPTIONAL_FUNCTIONS(CONVOY_DECLARE)
CONVOY_HIPRTC_FUNCTIONS(CONVOY_DECLARE)
#undef CONVOY_DECLARE

/// HIP's own allocation functions; hip_vkfft.hpp gives VkFFT others, which keep account.
extern hipError_t (*driver_malloc)(void** pointer, std::size_t bytes);
extern hipError_t (*driver_free)(void* pointer);
extern hipError_t (*driver_host_malloc)(void** pointer, std::size_t bytes, unsigned flags);

/// hiprtc's own; hiprtcCompileProgram below names the architecture, too.
extern decltype(&::hiprtcCompileProgram) driver_compile_program;

/// "gfx90a:sramecc+:xnack-"; empty where the runtime does not say.
std::string architecture(int ordinal);

/// Compiles for the current device. A hiprtc that is a library of its own (ROCm 6 and 7) does not find that by itself.
hiprtcResult compile_for_current_device(hiprtcProgram program, int num_options, const char** options);

/// What VkFFT calls. An object, so that the function of HIP's header is not found by its argument's namespace.
inline constexpr auto hiprtcCompileProgram = compile_for_current_device;

/// What became of loading; the pointers above may be called only if `problem` is empty.
struct Driver {
  SharedLibrary hip;
  SharedLibrary separate_hiprtc;  ///< only where the runtime library does not hold hiprtc itself
  int runtime_version = 0;
  int num_devices = 0;
  std::string problem;  ///< why no device can be used
};

/// Loads and initialises on first call; the answer is kept for as long as the process lives.
const Driver& driver();

/// "hipErrorOutOfMemory (out of memory)".
std::string error_text(hipError_t result);

}  // namespace convoy::backend::hip
