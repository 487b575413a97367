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

/// What VkFFT is told of the device; see the contract in vkfft_app.hpp.
struct Handles {
  using Buffer = void*;
  struct Target {};

  Handles(const gpu::OpenDevice<Api>& opened, hipStream_t queue)
      : device(opened.handle.device),
        stream(queue),
        coalesced_bytes(opened.info.limits.coalesced_bytes),
        identity(plan_identity(opened.info)) {}

  void configure(VkFFTConfiguration& configuration) {
    configuration.device = &device;
    configuration.stream = &stream;
    configuration.num_streams = 1;
  }
  void aim(VkFFTLaunchParams&, Target&) const {}

  hipDevice_t device;
  hipStream_t stream;
  std::uint64_t coalesced_bytes;
  std::string identity;
  bool wants_tables = false;
};

struct Vkfft {
  using Handles = hip::Handles;
  using KernelTransform = hip::KernelTransform<Handles>;
  using FusedConvolution = hip::FusedConvolution<Handles>;
  using StagedConvolution = hip::StagedConvolution<Handles>;
};

}  // namespace convoy::backend::hip
