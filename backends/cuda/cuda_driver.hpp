// The CUDA driver and NVRTC, loaded when first asked for. In this namespace every function that VkFFT and the backend
// call is a pointer with the driver's own name, so that VkFFT, included here, calls through them and nothing is linked.
#pragma once

#include <cuda.h>
#include <cuda_runtime_api.h>
#include <nvrtc.h>

#include <string>
#include <vector>

#include "base/shared_library.hpp"

namespace convoy::backend::cuda {

// cuda.h gives some of these names a version by macro; both the pointer's name and the symbol looked up follow it.
#define CONVOY_CUDA_DRIVER_FUNCTIONS(X) \
  X(cuInit)                             \
  X(cuDriverGetVersion)                 \
  X(cuGetErrorName)                     \
  X(cuGetErrorString)                   \
  X(cuDeviceGetCount)                   \
  X(cuDeviceGet)                        \
  X(cuDeviceGetName)                    \
  X(cuDeviceGetAttribute)               \
  X(cuDeviceTotalMem)                   \
  X(cuDevicePrimaryCtxGetState)         \
  X(cuDevicePrimaryCtxRetain)           \
  X(cuDevicePrimaryCtxRelease)          \
  X(cuCtxPushCurrent)                   \
  X(cuCtxPopCurrent)                    \
  X(cuCtxSynchronize)                   \
  X(cuMemGetInfo)                       \
  X(cuMemAlloc)                         \
  X(cuMemFree)                          \
  X(cuMemAllocHost)                     \
  X(cuMemFreeHost)                      \
  X(cuPointerGetAttribute)              \
  X(cuMemcpyHtoD)                       \
  X(cuMemcpyDtoH)                       \
  X(cuMemcpyHtoDAsync)                  \
  X(cuMemcpyDtoHAsync)                  \
  X(cuMemcpy2DAsync)                    \
  X(cuMemsetD8Async)                    \
  X(cuStreamCreate)                     \
  X(cuStreamDestroy)                    \
  X(cuStreamSynchronize)                \
  X(cuStreamWaitEvent)                  \
  X(cuEventCreate)                      \
  X(cuEventDestroy)                     \
  X(cuEventRecord)                      \
  X(cuEventSynchronize)                 \
  X(cuModuleLoadDataEx)                 \
  X(cuModuleGetFunction)                \
  X(cuModuleUnload)                     \
  X(cuFuncSetAttribute)                 \
  X(cuLaunchKernel)

// Newer than the oldest driver that will do; null where absent.
#if CUDA_VERSION >= 11080
#define CONVOY_CUDA_OPTIONAL_FUNCTIONS(X) X(cuDeviceGetUuid) X(cuLaunchKernelEx)
#else
#define CONVOY_CUDA_OPTIONAL_FUNCTIONS(X) X(cuDeviceGetUuid)
#endif

#define CONVOY_NVRTC_FUNCTIONS(X) \
  X(nvrtcVersion)                 \
  X(nvrtcGetErrorString)          \
  X(nvrtcCreateProgram)           \
  X(nvrtcCompileProgram)          \
  X(nvrtcDestroyProgram)          \
  X(nvrtcGetCUBINSize)            \
  X(nvrtcGetCUBIN)                \
  X(nvrtcGetProgramLogSize)       \
  X(nvrtcGetProgramLog)           \
  X(nvrtcGetNumSupportedArchs)    \
  X(nvrtcGetSupportedArchs)

#define CONVOY_DECLARE(name) extern decltype(&::name) name;
CONVOY_CUDA_DRIVER_FUNCTIONS(CONVOY_DECLARE)
CONVOY_CUDA_OPTIONAL_FUNCTIONS(CONVOY_DECLARE)
CONVOY_NVRTC_FUNCTIONS(CONVOY_DECLARE)
#undef CONVOY_DECLARE

/// What became of loading; the pointers above may be called only if `problem` is empty.
struct Driver {
  SharedLibrary cuda;
  SharedLibrary nvrtc;
  int version = 0;  ///< 13000 for 13.0
  int nvrtc_major = 0;
  int nvrtc_minor = 0;
  std::string passed_over;  ///< newer NVRTCs that know fewer of the devices, or nothing
  int num_devices = 0;
  std::string problem;  ///< why no device can be used
};

/// Loads and initialises on first call; the answer is kept for as long as the process lives.
const Driver& driver();

/// What the NVRTC in use compiles for, ascending, as 90 for sm_90; empty where it does not say.
std::vector<int> nvrtc_architectures();

/// "CUDA_ERROR_OUT_OF_MEMORY (out of memory)".
std::string error_text(CUresult result);

}  // namespace convoy::backend::cuda
