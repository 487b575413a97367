// The self-test (backends/vkfft/self_test.hpp) done with a session's own plans in its own slots.
#pragma once

#include <fmt/format.h>

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "backends/gpu/convolution.hpp"
#include "backends/gpu/slots.hpp"
#include "backends/vkfft/self_test.hpp"

namespace convoy::backend::gpu {

template <class Api>
class SelfTest {
 public:
  SelfTest(OpenDevice<Api>& device, const FftGeometry& geometry, bool conjugate, const ConvolutionSlots& slots,
           Convolution<Api>& convolution, typename Api::Stream stream)
      : device_(device),
        geometry_(geometry),
        conjugate_(conjugate),
        slots_(slots),
        convolution_(convolution),
        stream_(stream),
        transform_(device, geometry, slots.spectrum, stream) {}

  /// Throws Error(unsupported) if the plan computes wrong numbers or the device refuses to launch it.
  void require() {
    const std::string device_name =
        fmt::format("{} ({}, {}, {})", device_.info.id, device_.info.name, device_.info.uuid, device_.info.driver);
    try {
      require_self_test(device_name, geometry_, conjugate_, actions());
    } catch (const Error& error) {
      if (error.code() != Errc::device_lost || !Api::succeeded(Api::synchronize_stream(stream_))) throw;
      throw Error(Errc::unsupported, error.what());  // the device is well: it only refused this plan's launch
    }
  }

 private:
  SelfTestActions actions() {
    return {
        .set_image = [this](const auto& impulses) { set(slots_.image, geometry_.image_bytes(), impulses); },
        .set_spectrum = [this](const auto& impulses) { set(slots_.spectrum, geometry_.spectrum_bytes(), impulses); },
        .poison_work = [this] { fill(slots_.work, kNanByte, geometry_.work_bytes()); },
        .transform_kernel =
            [this] {
              transform_.queue(slots_.spectrum);
              finish();
            },
        .convolve =
            [this] {
              convolution_.queue(slots_);
              finish();
            },
        .read_image =
            [this](std::uint64_t offset_bytes, std::span<std::byte> voxels) {
              const std::byte* from = static_cast<const std::byte*>(slots_.image) + offset_bytes;
              require_success(Api::download_now(voxels.data(), from, voxels.size()));
            }};
  }

  void set(void* slot, std::uint64_t bytes, const std::vector<Impulse>& impulses) {
    fill(slot, 0, bytes);
    for (const Impulse& impulse : impulses) {
      std::byte* const to = static_cast<std::byte*>(slot) + impulse.index * geometry_.real_bytes();
      const auto single = static_cast<float>(impulse.value);
      const void* const from =
          geometry_.precision == Precision::f32 ? static_cast<const void*>(&single) : &impulse.value;
      require_success(Api::upload_now(to, from, geometry_.real_bytes()));
    }
  }
  void fill(void* slot, unsigned char value, std::uint64_t bytes) {
    require_success(Api::fill(slot, value, bytes, stream_));
    finish();
  }
  void finish() { require_success(Api::synchronize_stream(stream_)); }
  void require_success(typename Api::Result result) const { check<Api>(result, "the self-test", device_.info.id); }

  OpenDevice<Api>& device_;
  FftGeometry geometry_;
  bool conjugate_;
  ConvolutionSlots slots_;
  Convolution<Api>& convolution_;
  typename Api::Stream stream_;
  KernelTransform<Api> transform_;
};

}  // namespace convoy::backend::gpu
