// The CUDA driver's functions that convoy calls, each by the call of the HIP stand-in that corresponds to it.
#include <cuda.h>
#include <hip/hip_runtime_api.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

struct CUctx_st {};

namespace {

constexpr unsigned shared_bytes_without_opting_in = 48 * 1024;

CUctx_st primary_context;
std::atomic<int> retained{0};

/// The thread's stack of contexts. Never destroyed: static objects call in after the main thread's own are gone.
std::vector<CUcontext>& contexts() {
  thread_local auto* const stack = new std::vector<CUcontext>;
  return *stack;
}

struct AtExit {
  ~AtExit() {
    const char* wanted = std::getenv("HIPEMU_STATS");
    if (wanted && *wanted == '1') std::fprintf(stderr, "[cuda_standin] never released: contexts %d\n", retained.load());
  }
} at_exit;

CUresult to_cuda(hipError_t result) {
  switch (result) {
    case hipSuccess:
      return CUDA_SUCCESS;
    case hipErrorOutOfMemory:
      return CUDA_ERROR_OUT_OF_MEMORY;
    case hipErrorInvalidDevice:
      return CUDA_ERROR_INVALID_DEVICE;
    case hipErrorInvalidHandle:
      return CUDA_ERROR_INVALID_HANDLE;
    case hipErrorNotFound:
      return CUDA_ERROR_NOT_FOUND;
    case hipErrorInvalidImage:
      return CUDA_ERROR_INVALID_IMAGE;
    case hipErrorNoBinaryForGpu:
      return CUDA_ERROR_NO_BINARY_FOR_GPU;
    case hipErrorLaunchFailure:
      return CUDA_ERROR_LAUNCH_FAILED;
    default:
      return CUDA_ERROR_INVALID_VALUE;
  }
}

/// Calls a HIP function if a context is current in this thread.
template <class... Parameters, class... Arguments>
CUresult in_context(hipError_t (*function)(Parameters...), Arguments... arguments) {
  return contexts().empty() ? CUDA_ERROR_INVALID_CONTEXT : to_cuda(function(arguments...));
}

void* pointer(CUdeviceptr address) { return reinterpret_cast<void*>(address); }
hipStream_t hip(CUstream stream) { return reinterpret_cast<hipStream_t>(stream); }
hipEvent_t hip(CUevent event) { return reinterpret_cast<hipEvent_t>(event); }
hipModule_t hip(CUmodule module) { return reinterpret_cast<hipModule_t>(module); }
hipFunction_t hip(CUfunction function) { return reinterpret_cast<hipFunction_t>(function); }

hipError_t allocate(void** memory, std::size_t bytes) { return hipMalloc(memory, bytes); }
hipError_t allocate_pinned(void** memory, std::size_t bytes, unsigned flags) {
  return hipHostMalloc(memory, bytes, flags);
}

CUresult hip_attribute(int* value, hipDeviceAttribute_t attribute) {
  return to_cuda(hipDeviceGetAttribute(value, attribute, 0));
}

struct SharedMemoryOptIns {
  std::mutex mutex;
  std::map<CUfunction, unsigned> bytes;
};
SharedMemoryOptIns& opt_ins() {
  static auto* const all = new SharedMemoryOptIns;
  return *all;
}

}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))

// ---- device
EXPORT CUresult cuInit(unsigned flags) { return to_cuda(hipInit(flags)); }
EXPORT CUresult cuDriverGetVersion(int* version) {
  *version = CUDA_VERSION;
  return CUDA_SUCCESS;
}
EXPORT CUresult cuGetErrorName(CUresult result, const char** name) {
  *name = result == CUDA_ERROR_OUT_OF_MEMORY     ? "CUDA_ERROR_OUT_OF_MEMORY"
          : result == CUDA_ERROR_INVALID_CONTEXT ? "CUDA_ERROR_INVALID_CONTEXT"
                                                 : "CUDA_ERROR of the stand-in";
  return CUDA_SUCCESS;
}
EXPORT CUresult cuGetErrorString(CUresult, const char** text) {
  *text = "emulated";
  return CUDA_SUCCESS;
}
EXPORT CUresult cuDeviceGetCount(int* count) { return to_cuda(hipGetDeviceCount(count)); }
EXPORT CUresult cuDeviceGet(CUdevice* device, int ordinal) { return to_cuda(hipDeviceGet(device, ordinal)); }
EXPORT CUresult cuDeviceGetName(char* name, int size, CUdevice device) {
  return to_cuda(hipDeviceGetName(name, size, device));
}
EXPORT CUresult cuDeviceGetUuid(CUuuid* id, CUdevice) {
  std::memset(id, 0x5a, sizeof *id);
  return CUDA_SUCCESS;
}
EXPORT CUresult cuDeviceTotalMem(std::size_t* bytes, CUdevice device) {
  return to_cuda(hipDeviceTotalMem(bytes, device));
}
EXPORT CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute attribute, CUdevice) {
  switch (attribute) {
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:
      return hip_attribute(value, hipDeviceAttributeComputeCapabilityMajor);
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR:
      return hip_attribute(value, hipDeviceAttributeComputeCapabilityMinor);
    case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
      return hip_attribute(value, hipDeviceAttributeMaxThreadsPerBlock);
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X:
      return hip_attribute(value, hipDeviceAttributeMaxGridDimX);
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y:
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z:
      *value = 65535;
      return CUDA_SUCCESS;
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X:
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y:
      *value = 1024;
      return CUDA_SUCCESS;
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z:
      *value = 64;
      return CUDA_SUCCESS;
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK:
      *value = static_cast<int>(shared_bytes_without_opting_in);
      return CUDA_SUCCESS;
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN:
      return hip_attribute(value, hipDeviceAttributeMaxSharedMemoryPerBlock);
    case CU_DEVICE_ATTRIBUTE_WARP_SIZE:
      return hip_attribute(value, hipDeviceAttributeWarpSize);
    case CU_DEVICE_ATTRIBUTE_SINGLE_TO_DOUBLE_PRECISION_PERF_RATIO:
      *value = 2;
      return CUDA_SUCCESS;
    case CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE:
      *value = 50 << 20;
      return CUDA_SUCCESS;
    case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT:
      *value = 132;
      return CUDA_SUCCESS;
    case CU_DEVICE_ATTRIBUTE_INTEGRATED:
      return hip_attribute(value, hipDeviceAttributeIntegrated);
    case CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE:
      *value = 2'619'000;
      return CUDA_SUCCESS;
    case CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH:
      *value = 5120;
      return CUDA_SUCCESS;
    default:
      return CUDA_ERROR_INVALID_VALUE;
  }
}

// ---- contexts
EXPORT CUresult cuDevicePrimaryCtxGetState(CUdevice, unsigned* flags, int* active) {
  *flags = 0;
  *active = retained > 0;
  return CUDA_SUCCESS;
}
EXPORT CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice) {
  *context = &primary_context;
  ++retained;
  return CUDA_SUCCESS;
}
EXPORT CUresult cuDevicePrimaryCtxRelease(CUdevice) {
  return --retained >= 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CONTEXT;
}
EXPORT CUresult cuCtxPushCurrent(CUcontext context) {
  if (context != &primary_context || retained <= 0) return CUDA_ERROR_INVALID_CONTEXT;
  contexts().push_back(context);
  return CUDA_SUCCESS;
}
EXPORT CUresult cuCtxPopCurrent(CUcontext* context) {
  if (contexts().empty()) return CUDA_ERROR_INVALID_CONTEXT;
  *context = contexts().back();
  contexts().pop_back();
  return CUDA_SUCCESS;
}
EXPORT CUresult cuCtxSynchronize() { return in_context(hipDeviceSynchronize); }

// ---- memory
EXPORT CUresult cuMemGetInfo(std::size_t* free_bytes, std::size_t* total) {
  return in_context(hipMemGetInfo, free_bytes, total);
}
EXPORT CUresult cuMemAlloc(CUdeviceptr* address, std::size_t bytes) {
  if (bytes == 0) return CUDA_ERROR_INVALID_VALUE;
  return in_context(allocate, reinterpret_cast<void**>(address), bytes);
}
EXPORT CUresult cuMemFree(CUdeviceptr address) { return in_context(hipFree, pointer(address)); }
EXPORT CUresult cuMemAllocHost(void** memory, std::size_t bytes) {
  if (bytes == 0) return CUDA_ERROR_INVALID_VALUE;
  return in_context(allocate_pinned, memory, bytes, 0u);
}
EXPORT CUresult cuMemFreeHost(void* memory) { return in_context(hipHostFree, memory); }
EXPORT CUresult cuPointerGetAttribute(void* value, CUpointer_attribute attribute, CUdeviceptr address) {
  unsigned flags = 0;
  if (attribute != CU_POINTER_ATTRIBUTE_MEMORY_TYPE) return CUDA_ERROR_INVALID_VALUE;
  const CUresult result = in_context(hipHostGetFlags, &flags, pointer(address));
  if (result == CUDA_SUCCESS) *static_cast<CUmemorytype*>(value) = CU_MEMORYTYPE_HOST;
  return result;
}
EXPORT CUresult cuMemcpyHtoD(CUdeviceptr to, const void* from, std::size_t bytes) {
  return in_context(hipMemcpy, pointer(to), from, bytes, hipMemcpyHostToDevice);
}
EXPORT CUresult cuMemcpyDtoH(void* to, CUdeviceptr from, std::size_t bytes) {
  return in_context(hipMemcpy, to, pointer(from), bytes, hipMemcpyDeviceToHost);
}
EXPORT CUresult cuMemcpyHtoDAsync(CUdeviceptr to, const void* from, std::size_t bytes, CUstream stream) {
  return in_context(hipMemcpyAsync, pointer(to), from, bytes, hipMemcpyHostToDevice, hip(stream));
}
EXPORT CUresult cuMemcpyDtoHAsync(void* to, CUdeviceptr from, std::size_t bytes, CUstream stream) {
  return in_context(hipMemcpyAsync, to, pointer(from), bytes, hipMemcpyDeviceToHost, hip(stream));
}
EXPORT CUresult cuMemcpy2DAsync(const CUDA_MEMCPY2D* copy, CUstream stream) {
  const bool up = copy->srcMemoryType == CU_MEMORYTYPE_HOST && copy->dstMemoryType == CU_MEMORYTYPE_DEVICE;
  const bool down = copy->srcMemoryType == CU_MEMORYTYPE_DEVICE && copy->dstMemoryType == CU_MEMORYTYPE_HOST;
  if (copy->srcXInBytes || copy->srcY || copy->dstXInBytes || copy->dstY || up == down) return CUDA_ERROR_INVALID_VALUE;
  void* const to = up ? pointer(copy->dstDevice) : copy->dstHost;
  const void* const from = up ? copy->srcHost : pointer(copy->srcDevice);
  return in_context(hipMemcpy2DAsync, to, copy->dstPitch, from, copy->srcPitch, copy->WidthInBytes, copy->Height,
                    up ? hipMemcpyHostToDevice : hipMemcpyDeviceToHost, hip(stream));
}
EXPORT CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, std::size_t bytes, CUstream stream) {
  return in_context(hipMemsetAsync, pointer(to), static_cast<int>(value), bytes, hip(stream));
}

// ---- streams and events
EXPORT CUresult cuStreamCreate(CUstream* stream, unsigned flags) {
  return in_context(hipStreamCreateWithFlags, reinterpret_cast<hipStream_t*>(stream), flags);
}
EXPORT CUresult cuStreamDestroy(CUstream stream) { return in_context(hipStreamDestroy, hip(stream)); }
EXPORT CUresult cuStreamSynchronize(CUstream stream) { return in_context(hipStreamSynchronize, hip(stream)); }
EXPORT CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned flags) {
  return in_context(hipStreamWaitEvent, hip(stream), hip(event), flags);
}
EXPORT CUresult cuEventCreate(CUevent* event, unsigned flags) {
  return in_context(hipEventCreateWithFlags, reinterpret_cast<hipEvent_t*>(event), flags);
}
EXPORT CUresult cuEventDestroy(CUevent event) { return in_context(hipEventDestroy, hip(event)); }
EXPORT CUresult cuEventRecord(CUevent event, CUstream stream) {
  return in_context(hipEventRecord, hip(event), hip(stream));
}
EXPORT CUresult cuEventSynchronize(CUevent event) { return in_context(hipEventSynchronize, hip(event)); }

// ---- modules
EXPORT CUresult cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned, CUjit_option*, void**) {
  return in_context(hipModuleLoadData, reinterpret_cast<hipModule_t*>(module), image);
}
EXPORT CUresult cuModuleGetFunction(CUfunction* function, CUmodule module, const char* name) {
  return in_context(hipModuleGetFunction, reinterpret_cast<hipFunction_t*>(function), hip(module), name);
}
EXPORT CUresult cuModuleUnload(CUmodule module) { return in_context(hipModuleUnload, hip(module)); }
EXPORT CUresult cuFuncSetAttribute(CUfunction function, CUfunction_attribute attribute, int value) {
  if (attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) return CUDA_ERROR_INVALID_VALUE;
  const CUresult result = in_context(hipFuncSetAttribute, static_cast<const void*>(function),
                                     hipFuncAttributeMaxDynamicSharedMemorySize, value);
  if (result != CUDA_SUCCESS) return result;
  const std::lock_guard lock(opt_ins().mutex);
  opt_ins().bytes[function] = static_cast<unsigned>(value);
  return CUDA_SUCCESS;
}
EXPORT CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                               unsigned block_y, unsigned block_z, unsigned shared_bytes, CUstream stream,
                               void** arguments, void** extra) {
  if (shared_bytes > shared_bytes_without_opting_in) {
    const std::lock_guard lock(opt_ins().mutex);
    const auto known = opt_ins().bytes.find(function);
    if (known == opt_ins().bytes.end() || known->second < shared_bytes) return CUDA_ERROR_INVALID_VALUE;
  }
  if (grid_y > 65535 || grid_z > 65535 || block_z > 64) return CUDA_ERROR_INVALID_VALUE;
  return in_context(hipModuleLaunchKernel, hip(function), grid_x, grid_y, grid_z, block_x, block_y, block_z,
                    shared_bytes, hip(stream), arguments, extra);
}
