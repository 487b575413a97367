// TransformKernel and Convolve on CUDA and HIP, by the VkFFT that the backend includes in its own namespace: Api::Vkfft
// names its Handles, KernelTransform, FusedConvolution and StagedConvolution.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <utility>

#include "backends/gpu/open_device.hpp"
#include "program/program.hpp"

namespace convoy::backend::gpu {

/// Queues products over a whole spectrum, or with its conjugate: kernels::multiply_spectrum, work *= spectrum, and
/// kernels::add_product into another slot.
template <class Api>
class SpectrumProduct {
 public:
  SpectrumProduct(OpenDevice<Api>& device, const FftGeometry& geometry, bool conjugate)
      : device_id_(device.info.id),
        in_place_(device.kernels.kernel(kernels::multiply_spectrum, geometry.precision, device.info)),
        adding_(device.kernels.kernel(kernels::add_product, geometry.precision, device.info)),
        sign_(conjugate ? -1.0f : 1.0f),
        element_bytes_(2 * geometry.real_bytes()),
        count_(geometry.spectrum_bytes() / element_bytes_) {}

  void launch(void* spectrum, void* work, typename Api::Stream stream) const {
    for_each_part([&](std::uint64_t offset, std::uint32_t count, std::uint32_t row) {
      void* spectrum_part = static_cast<std::byte*>(spectrum) + offset;
      void* work_part = static_cast<std::byte*>(work) + offset;
      float scale = 1;
      float sign = sign_;
      void* arguments[] = {&spectrum_part, &work_part, &count, &row, &scale, &sign};
      launch_part(kernels::multiply_spectrum, *in_place_, count, row, arguments, stream);
    });
  }
  void launch_into(void* spectrum, void* work, void* product, bool adds, typename Api::Stream stream) const {
    for_each_part([&](std::uint64_t offset, std::uint32_t count, std::uint32_t row) {
      void* spectrum_part = static_cast<std::byte*>(spectrum) + offset;
      void* work_part = static_cast<std::byte*>(work) + offset;
      void* product_part = static_cast<std::byte*>(product) + offset;
      float sign = sign_;
      std::uint32_t adding = adds ? 1 : 0;
      void* arguments[] = {&spectrum_part, &work_part, &product_part, &count, &row, &sign, &adding};
      launch_part(kernels::add_product, *adding_, count, row, arguments, stream);
    });
  }

 private:
  template <class Launch>
  void for_each_part(const Launch& launch) const {
    constexpr std::uint64_t kMostAtOnce = std::uint64_t{1} << 31;  // the kernels count in 32 bits
    for (std::uint64_t first = 0; first < count_; first += kMostAtOnce) {
      const auto count = static_cast<std::uint32_t>(std::min(kMostAtOnce, count_ - first));
      launch(first * element_bytes_, count, std::min<std::uint32_t>(count, 1u << 14));
    }
  }
  template <std::size_t kNum>
  void launch_part(const KernelSpec& kernel, const LoadedKernel<Api>& loaded, std::uint32_t count, std::uint32_t row,
                   void* (&arguments)[kNum], typename Api::Stream stream) const {
    const auto groups = num_groups(kernel, {row, (count + row - 1) / row, 1});
    check<Api>(Api::launch(loaded.function(), groups, kernel.workgroup, 0, stream, arguments, false),
               ("launching " + kernel.name).c_str(), device_id_);
  }

  std::string device_id_;
  std::shared_ptr<const LoadedKernel<Api>> in_place_;
  std::shared_ptr<const LoadedKernel<Api>> adding_;
  float sign_;
  std::uint64_t element_bytes_;
  std::uint64_t count_;
};

/// The addresses are those of the first launch; each launch may bring others.
struct ConvolutionSlots {
  void* image = nullptr;
  void* work = nullptr;
  void* spectrum = nullptr;
  void* product = nullptr;  ///< of Convolve::Part::product
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

  /// Of staged convolutions; plans for several kernels have no fused one.
  void queue_part(Convolve::Part part, const ConvolutionSlots& slots, bool adds) {
    if (part == Convolve::Part::whole) return queue(slots);
    if (!staged_) throw std::logic_error("VkFFT's fused convolution has no parts");
    if (part == Convolve::Part::product) {
      return product_->launch_into(slots.spectrum, slots.work, slots.product, adds, stream_);
    }
    typename Api::Vkfft::Handles::Target target;
    staged_->rebind(slots.image, slots.work);
    part == Convolve::Part::forward ? staged_->append_forward(target) : staged_->append_inverse(target);
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
