// HIP's runtime functions, each by the call of the CUDA driver that corresponds to it. HIP has a current device, the
// driver a current context: every function that works on a device first makes the device's primary context current.
#include <cuda.h>
#include <hip/hip_runtime_api.h>

#include <cstdio>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "errors.hpp"

using namespace hip_on_nvidia;

namespace {

thread_local int current_device = 0;

/// The primary context of a device, retained on first use and kept until the process ends.
CUresult primary_context(int ordinal, CUcontext& context) {
  static std::mutex mutex;
  static auto* const contexts = new std::vector<CUcontext>;
  const std::lock_guard lock(mutex);
  if (contexts->empty()) {
    int count = 0;
    if (const CUresult failed = cuInit(0)) return failed;
    if (const CUresult failed = cuDeviceGetCount(&count)) return failed;
    contexts->resize(static_cast<std::size_t>(count));
  }
  if (ordinal < 0 || static_cast<std::size_t>(ordinal) >= contexts->size()) return CUDA_ERROR_INVALID_DEVICE;
  CUcontext& kept = (*contexts)[static_cast<std::size_t>(ordinal)];
  if (!kept) {
    CUdevice device = 0;
    if (const CUresult failed = cuDeviceGet(&device, ordinal)) return failed;
    if (const CUresult failed = cuDevicePrimaryCtxRetain(&kept, device)) return failed;
  }
  context = kept;
  return CUDA_SUCCESS;
}

CUresult use_device(int ordinal) {
  CUcontext context = nullptr;
  if (const CUresult failed = primary_context(ordinal, context)) return failed;
  return cuCtxSetCurrent(context);
}

/// Calls a driver function with the current device's context in place.
template <class... Parameters, class... Arguments>
hipError_t on_device(CUresult (*function)(Parameters...), Arguments... arguments) {
  if (const CUresult failed = use_device(current_device)) return remember(failed);
  return remember(function(arguments...));
}

CUdeviceptr device_pointer(const void* pointer) { return reinterpret_cast<CUdeviceptr>(pointer); }
CUstream cuda(hipStream_t stream) { return reinterpret_cast<CUstream>(stream); }
CUevent cuda(hipEvent_t event) { return reinterpret_cast<CUevent>(event); }
CUmodule cuda(hipModule_t module) { return reinterpret_cast<CUmodule>(module); }
CUfunction cuda(hipFunction_t function) { return reinterpret_cast<CUfunction>(function); }

std::optional<CUdevice_attribute> cuda(hipDeviceAttribute_t attribute) {
  switch (attribute) {
    case hipDeviceAttributeWarpSize:
      return CU_DEVICE_ATTRIBUTE_WARP_SIZE;
    case hipDeviceAttributeMultiprocessorCount:
      return CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;
    case hipDeviceAttributeComputeCapabilityMajor:
      return CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR;
    case hipDeviceAttributeComputeCapabilityMinor:
      return CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR;
    case hipDeviceAttributeMaxThreadsPerBlock:
      return CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK;
    case hipDeviceAttributeMaxBlockDimX:
      return CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X;
    case hipDeviceAttributeMaxBlockDimY:
      return CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y;
    case hipDeviceAttributeMaxBlockDimZ:
      return CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z;
    case hipDeviceAttributeMaxGridDimX:
      return CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X;
    case hipDeviceAttributeMaxGridDimY:
      return CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y;
    case hipDeviceAttributeMaxGridDimZ:
      return CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z;
    case hipDeviceAttributeMaxSharedMemoryPerBlock:
      return CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK;
    default:
      return std::nullopt;
  }
}

int attribute_or_zero(CUdevice_attribute attribute, CUdevice device) {
  int value = 0;
  return cuDeviceGetAttribute(&value, attribute, device) == CUDA_SUCCESS ? value : 0;
}

}  // namespace

extern "C" {

// ---- device
hipError_t hipInit(unsigned flags) { return remember(cuInit(flags)); }
hipError_t hipGetDeviceCount(int* count) {
  *count = 0;
  if (const CUresult failed = cuInit(0)) return remember(failed);
  if (const CUresult failed = cuDeviceGetCount(count)) return remember(failed);
  return *count > 0 ? hipSuccess : remember(hipErrorNoDevice);
}
hipError_t hipSetDevice(int device) {
  if (const CUresult failed = use_device(device)) return remember(failed);
  current_device = device;
  return hipSuccess;
}
hipError_t hipGetDevice(int* device) {
  *device = current_device;
  return hipSuccess;
}
hipError_t hipDeviceGet(hipDevice_t* device, int ordinal) { return remember(cuDeviceGet(device, ordinal)); }
hipError_t hipDeviceGetName(char* name, int size, hipDevice_t device) {
  char chip[256] = "";
  if (const CUresult failed = cuDeviceGetName(chip, sizeof chip, device)) return remember(failed);
  std::snprintf(name, static_cast<std::size_t>(size), "%s (HIP source on NVIDIA)", chip);
  return hipSuccess;
}
hipError_t hipDeviceTotalMem(size_t* bytes, hipDevice_t device) { return remember(cuDeviceTotalMem(bytes, device)); }
hipError_t hipDeviceGetAttribute(int* value, hipDeviceAttribute_t attribute, int device) {
  const std::optional<CUdevice_attribute> known = cuda(attribute);
  return known ? remember(cuDeviceGetAttribute(value, *known, device)) : remember(hipErrorInvalidValue);
}
hipError_t hipGetDeviceProperties(hipDeviceProp_t* properties, int device) {
  *properties = {};
  if (const hipError_t failed = hipDeviceGetName(properties->name, sizeof properties->name, device)) return failed;
  properties->major = attribute_or_zero(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device);
  properties->minor = attribute_or_zero(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device);
  properties->warpSize = attribute_or_zero(CU_DEVICE_ATTRIBUTE_WARP_SIZE, device);
  properties->maxThreadsPerBlock = attribute_or_zero(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK, device);
  properties->sharedMemPerBlock =
      static_cast<std::size_t>(attribute_or_zero(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK, device));
  properties->multiProcessorCount = attribute_or_zero(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, device);
  std::snprintf(properties->gcnArchName, sizeof properties->gcnArchName, "sm_%d%d", properties->major,
                properties->minor);
  return remember(cuDeviceTotalMem(&properties->totalGlobalMem, device));
}
hipError_t hipRuntimeGetVersion(int* version) {
  *version = HIP_VERSION;
  return hipSuccess;
}
hipError_t hipDriverGetVersion(int* version) { return remember(cuDriverGetVersion(version)); }
hipError_t hipDeviceSynchronize() { return on_device(cuCtxSynchronize); }

// ---- memory
hipError_t hipMemGetInfo(size_t* free_bytes, size_t* total) { return on_device(cuMemGetInfo, free_bytes, total); }
hipError_t hipMalloc(void** pointer, size_t size) {
  *pointer = nullptr;
  return size == 0 ? hipSuccess : on_device(cuMemAlloc, reinterpret_cast<CUdeviceptr*>(pointer), size);
}
hipError_t hipFree(void* pointer) { return pointer ? on_device(cuMemFree, device_pointer(pointer)) : hipSuccess; }
hipError_t hipHostMalloc(void** pointer, size_t size, unsigned) {
  *pointer = nullptr;
  return size == 0 ? hipSuccess : on_device(cuMemHostAlloc, pointer, size, 0u);
}
hipError_t hipHostFree(void* pointer) { return pointer ? on_device(cuMemFreeHost, pointer) : hipSuccess; }
hipError_t hipHostGetFlags(unsigned* flags, void* pointer) {
  *flags = 0;
  CUmemorytype type{};
  const hipError_t result = on_device(cuPointerGetAttribute, static_cast<void*>(&type),
                                      CU_POINTER_ATTRIBUTE_MEMORY_TYPE, device_pointer(pointer));
  if (result != hipSuccess) return result;
  return type == CU_MEMORYTYPE_HOST ? hipSuccess : remember(hipErrorInvalidValue);
}
hipError_t hipMemcpy(void* to, const void* from, size_t size, hipMemcpyKind) {
  return on_device(cuMemcpy, device_pointer(to), device_pointer(from), size);
}
hipError_t hipMemcpyAsync(void* to, const void* from, size_t size, hipMemcpyKind, hipStream_t stream) {
  return on_device(cuMemcpyAsync, device_pointer(to), device_pointer(from), size, cuda(stream));
}
hipError_t hipMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width, size_t height,
                            hipMemcpyKind, hipStream_t stream) {
  CUDA_MEMCPY2D copy{};
  copy.srcMemoryType = copy.dstMemoryType = CU_MEMORYTYPE_UNIFIED;
  copy.srcDevice = device_pointer(from);
  copy.srcPitch = from_pitch;
  copy.dstDevice = device_pointer(to);
  copy.dstPitch = to_pitch;
  copy.WidthInBytes = width;
  copy.Height = height;
  return on_device(cuMemcpy2DAsync, static_cast<const CUDA_MEMCPY2D*>(&copy), cuda(stream));
}
hipError_t hipMemset(void* to, int value, size_t size) {
  return on_device(cuMemsetD8, device_pointer(to), static_cast<unsigned char>(value), size);
}
hipError_t hipMemsetAsync(void* to, int value, size_t size, hipStream_t stream) {
  return on_device(cuMemsetD8Async, device_pointer(to), static_cast<unsigned char>(value), size, cuda(stream));
}

// ---- streams and events: the flags have the same values on both sides
static_assert(hipStreamNonBlocking == CU_STREAM_NON_BLOCKING && hipEventDisableTiming == CU_EVENT_DISABLE_TIMING &&
              hipEventBlockingSync == CU_EVENT_BLOCKING_SYNC);

hipError_t hipStreamCreateWithFlags(hipStream_t* stream, unsigned flags) {
  return on_device(cuStreamCreate, reinterpret_cast<CUstream*>(stream), flags);
}
hipError_t hipStreamCreate(hipStream_t* stream) { return hipStreamCreateWithFlags(stream, hipStreamDefault); }
hipError_t hipStreamDestroy(hipStream_t stream) { return on_device(cuStreamDestroy, cuda(stream)); }
hipError_t hipStreamSynchronize(hipStream_t stream) { return on_device(cuStreamSynchronize, cuda(stream)); }
hipError_t hipStreamQuery(hipStream_t stream) { return on_device(cuStreamQuery, cuda(stream)); }
hipError_t hipStreamWaitEvent(hipStream_t stream, hipEvent_t event, unsigned) {
  return on_device(cuStreamWaitEvent, cuda(stream), cuda(event), 0u);
}
hipError_t hipEventCreateWithFlags(hipEvent_t* event, unsigned flags) {
  return on_device(cuEventCreate, reinterpret_cast<CUevent*>(event),
                   flags & (hipEventDisableTiming | hipEventBlockingSync));
}
hipError_t hipEventCreate(hipEvent_t* event) { return hipEventCreateWithFlags(event, hipEventDefault); }
hipError_t hipEventDestroy(hipEvent_t event) { return on_device(cuEventDestroy, cuda(event)); }
hipError_t hipEventRecord(hipEvent_t event, hipStream_t stream) {
  return on_device(cuEventRecord, cuda(event), cuda(stream));
}
hipError_t hipEventSynchronize(hipEvent_t event) { return on_device(cuEventSynchronize, cuda(event)); }
hipError_t hipEventQuery(hipEvent_t event) { return on_device(cuEventQuery, cuda(event)); }
hipError_t hipEventElapsedTime(float* milliseconds, hipEvent_t start, hipEvent_t end) {
  return on_device(cuEventElapsedTime, milliseconds, cuda(start), cuda(end));
}

// ---- modules
hipError_t hipModuleLoadData(hipModule_t* module, const void* image) {
  return on_device(cuModuleLoadData, reinterpret_cast<CUmodule*>(module), image);
}
hipError_t hipModuleLoadDataEx(hipModule_t* module, const void* image, unsigned, hipJitOption*, void**) {
  return hipModuleLoadData(module, image);
}
hipError_t hipModuleUnload(hipModule_t module) { return on_device(cuModuleUnload, cuda(module)); }
hipError_t hipModuleGetFunction(hipFunction_t* function, hipModule_t module, const char* name) {
  return on_device(cuModuleGetFunction, reinterpret_cast<CUfunction*>(function), cuda(module), name);
}
hipError_t hipFuncSetAttribute(const void* function, hipFuncAttribute attribute, int value) {
  if (attribute != hipFuncAttributeMaxDynamicSharedMemorySize) return remember(hipErrorInvalidValue);
  const auto kernel = static_cast<CUfunction>(const_cast<void*>(function));
  return on_device(cuFuncSetAttribute, kernel, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, value);
}
hipError_t hipModuleLaunchKernel(hipFunction_t function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                                 unsigned block_x, unsigned block_y, unsigned block_z, unsigned lds, hipStream_t stream,
                                 void** arguments, void** extra) {
  if (extra) return remember(hipErrorNotSupported);  // the keys of HIP's packed arguments are not CUDA's
  return on_device(cuLaunchKernel, cuda(function), grid_x, grid_y, grid_z, block_x, block_y, block_z, lds, cuda(stream),
                   arguments, static_cast<void**>(nullptr));
}

}  // extern "C"
