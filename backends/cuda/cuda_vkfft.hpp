// VkFFT over the loaded CUDA driver. To be included by one source file only: it brings all of VkFFT.
#pragma once

#include <cuComplex.h>
#include <cuda.h>
#include <cuda_runtime.h>
#include <cuda_runtime_api.h>
#include <nvrtc.h>

#include "backends/cuda/cuda_api.hpp"
#include "backends/gpu/open_device.hpp"
#include "backends/vkfft/prelude.hpp"

namespace convoy::backend::cuda {

// The few runtime calls of VkFFT, made of driver calls, so that libcudart is not needed. They are objects, not
// functions: a function of this name at global scope would be found as well, through the types of the arguments.
inline constexpr auto cudaMalloc = [](void** pointer, std::size_t bytes) {
  auto* const memory = gpu::charged_memory<Api>;
  const CUresult result =
      memory != nullptr ? memory->try_allocate(pointer, "VkFFT's tables", bytes) : Api::allocate(pointer, bytes);
  return result == CUDA_SUCCESS ? cudaSuccess : cudaErrorMemoryAllocation;
};
inline constexpr auto cudaFree = [](void* pointer) {
  auto* const memory = gpu::charged_memory<Api>;
  const CUresult result = memory != nullptr ? memory->release(pointer) : Api::release(pointer);
  return result == CUDA_SUCCESS ? cudaSuccess : cudaErrorInvalidValue;
};
inline constexpr auto cudaMemcpy = [](void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  const CUresult result = kind == cudaMemcpyHostToDevice ? cuMemcpyHtoD(Api::device_pointer(to), from, bytes)
                                                         : cuMemcpyDtoH(to, Api::device_pointer(from), bytes);
  return result == CUDA_SUCCESS ? cudaSuccess : cudaErrorUnknown;
};
inline constexpr auto cudaDeviceSynchronize = [] {
  return cuCtxSynchronize() == CUDA_SUCCESS ? cudaSuccess : cudaErrorUnknown;
};
inline constexpr auto cudaEventCreate = [](cudaEvent_t* event) {
  return Api::create_event(event) == CUDA_SUCCESS ? cudaSuccess : cudaErrorUnknown;
};
inline constexpr auto cudaEventDestroy = [](cudaEvent_t event) {
  return cuEventDestroy(event) == CUDA_SUCCESS ? cudaSuccess : cudaErrorUnknown;
};
inline constexpr auto cudaEventRecord = [](cudaEvent_t event, cudaStream_t stream) {
  return Api::record(event, stream) == CUDA_SUCCESS ? cudaSuccess : cudaErrorUnknown;
};
inline constexpr auto cudaEventSynchronize = [](cudaEvent_t event) {
  return Api::synchronize_event(event) == CUDA_SUCCESS ? cudaSuccess : cudaErrorUnknown;
};

#include "backends/vkfft/include_vkfft.hpp"
#include "backends/vkfft/vkfft_app.hpp"
#include "backends/vkfft/vkfft_convolution.hpp"
#include "backends/gpu/vkfft_handles.hpp"

}  // namespace convoy::backend::cuda
