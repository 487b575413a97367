// What VkFFT is given of a CUDA or HIP device. Included inside a backend's namespace, after vkfft_convolution.hpp; Api
// is that namespace's own.

/// See the contract in vkfft_app.hpp.
struct DeviceHandles {
  using Buffer = void*;
  struct Target {};

  DeviceHandles(const gpu::OpenDevice<Api>& opened, Api::Stream queue)
      : device(opened.handle.device),
        stream(queue),
        coalesced_bytes(opened.info.limits.coalesced_bytes),
        identity(device_identity(opened.info)) {}

  void configure(VkFFTConfiguration& configuration) {
    configuration.device = &device;
    configuration.stream = &stream;
    configuration.num_streams = 1;
  }
  void aim(VkFFTLaunchParams&, Target&) const {}

  decltype(Api::Handle::device) device;
  Api::Stream stream;
  std::uint64_t coalesced_bytes;
  std::string identity;
  bool wants_tables = false;
};

using VkfftKernelTransform = KernelTransform<DeviceHandles>;
using VkfftFusedConvolution = FusedConvolution<DeviceHandles>;
using VkfftStagedConvolution = StagedConvolution<DeviceHandles>;

struct Vkfft {
  using Handles = DeviceHandles;
  using KernelTransform = VkfftKernelTransform;
  using FusedConvolution = VkfftFusedConvolution;
  using StagedConvolution = VkfftStagedConvolution;
};
