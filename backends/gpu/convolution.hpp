// TransformKernel and Convolve on CUDA and HIP, by the VkFFT that the backend includes in its own namespace: Api::Vkfft
// names its Handles, KernelTransform, FusedConvolution and StagedConvolution.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "backends/gpu/open_device.hpp"
#include "program/program.hpp"

namespace convoy::backend::gpu {

/// Queues kernels::multiply_spectrum over a whole spectrum: work *= spectrum, or its conjugate.
template <class Api>
class SpectrumProduct {
 public:
  SpectrumProduct(OpenDevice<Api>& device, const FftGeometry& geometry, bool conjugate)
      : device_id_(device.info.id),
        kernel_(device.kernels.kernel(kernels::multiply_spectrum, geometry.precision, device.info)),
        sign_(conjugate ? -1.0f : 1.0f),
        element_bytes_(2 * geometry.real_bytes()),
        count_(geometry.spectrum_bytes() / element_bytes_) {}

  void launch(void* spectrum, void* work, typename Api::Stream stream) const {
    constexpr std::uint64_t kMostAtOnce = std::uint64_t{1} << 31;  // the kernel counts in 32 bits
    for (std::uint64_t first = 0; first < count_; first += kMostAtOnce) {
      void* spectrum_part = static_cast<std::byte*>(spectrum) + first * element_bytes_;
      void* work_part = static_cast<std::byte*>(work) + first * element_bytes_;
      auto count = static_cast<std::uint32_t>(std::min(kMostAtOnce, count_ - first));
      std::uint32_t row = std::min<std::uint32_t>(count, 1u << 14);
      float scale = 1;
      float sign = sign_;
      void* arguments[] = {&spectrum_part, &work_part, &count, &row, &scale, &sign};
      const KernelSpec& kernel = kernels::multiply_spectrum;
      const auto groups = num_groups(kernel, {row, (count + row - 1) / row, 1});
      check<Api>(Api::launch(kernel_->function(), groups, kernel.workgroup, 0, stream, arguments, false),
                 "launching multiply_spectrum", device_id_);
    }
  }

 private:
  std::string device_id_;
  std::shared_ptr<const LoadedKernel<Api>> kernel_;
  float sign_;
  std::uint64_t element_bytes_;
  std::uint64_t count_;
};

/// The addresses are those of the first launch; each launch may bring others.
struct ConvolutionSlots {
  void* image = nullptr;
  void* work = nullptr;
  void* spectrum = nullptr;
};

template <class Api>
class Convolution {
 public:
  /// Plans and compiles. Throws Error(unsupported) when the fused path is refused.
  Convolution(OpenDevice<Api>& device, const FftGeometry& geometry, bool conjugate, const ConvolutionSlots& slots,
              typename Api::Stream stream)
      : stream_(stream) {
    const typename Api::Vkfft::Handles handles(device, stream);
    if (geometry.path == Path::fused) {
      fused_.emplace(handles, geometry, conjugate, slots.image, slots.work, slots.spectrum);
    } else {
      staged_.emplace(handles, geometry, slots.image, slots.work);
      product_.emplace(device, geometry, conjugate);
    }
  }

  void queue(const ConvolutionSlots& slots) {
    typename Api::Vkfft::Handles::Target target;
    if (fused_) {
      fused_->rebind(slots.image, slots.work, slots.spectrum);
      fused_->append(target);
      return;
    }
    staged_->rebind(slots.image, slots.work);
    staged_->append_forward(target);
    product_->launch(slots.spectrum, slots.work, stream_);
    staged_->append_inverse(target);
  }

 private:
  typename Api::Stream stream_;
  std::optional<typename Api::Vkfft::FusedConvolution> fused_;
  std::optional<typename Api::Vkfft::StagedConvolution> staged_;
  std::optional<SpectrumProduct<Api>> product_;
};

template <class Api>
class KernelTransform {
 public:
  KernelTransform(OpenDevice<Api>& device, const FftGeometry& geometry, void* spectrum, typename Api::Stream stream)
      : transform_(typename Api::Vkfft::Handles(device, stream), geometry, spectrum) {}

  void queue(void* spectrum) {
    typename Api::Vkfft::Handles::Target target;
    transform_.rebind(spectrum);
    transform_.append(target);
  }

 private:
  typename Api::Vkfft::KernelTransform transform_;
};

}  // namespace convoy::backend::gpu
