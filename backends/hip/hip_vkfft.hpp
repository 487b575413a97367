// VkFFT over the loaded HIP runtime. To be included by one source file only: it brings all of VkFFT.
#pragma once

#include <hip/hip_complex.h>
#include <hip/hip_runtime.h>
#include <hip/hip_runtime_api.h>
#include <hip/hiprtc.h>

#include "backends/gpu/open_device.hpp"
#include "backends/hip/hip_api.hpp"
#include "backends/vkfft/prelude.hpp"

namespace convoy::backend::hip {

// VkFFT's allocations, entered into the session's account. Objects, so that HIP's templates of the name are not found.
inline constexpr auto hipMalloc = [](void** pointer, std::size_t bytes) {
  auto* const memory = gpu::charged_memory<Api>;
  return memory != nullptr ? memory->try_allocate(pointer, "VkFFT's tables", bytes) : driver_malloc(pointer, bytes);
};
inline constexpr auto hipFree = [](void* pointer) {
  auto* const memory = gpu::charged_memory<Api>;
  return memory != nullptr ? memory->release(pointer) : driver_free(pointer);
};

#include "backends/vkfft/include_vkfft.hpp"
#include "backends/vkfft/vkfft_app.hpp"
#include "backends/vkfft/vkfft_convolution.hpp"
#include "backends/gpu/vkfft_handles.hpp"

}  // namespace convoy::backend::hip
