// Blurs an image that lies in a CUDA device's memory, twice over, in a stream of the caller's own. Nothing is copied
// and nothing waits between the two.
//
//   resident_cuda [DRIVER]      (default: libcuda.so.1)
//
// A program that is built with the CUDA toolkit calls cuMemAlloc, or cudaMalloc, as usual; this one opens the driver by
// hand, so that it builds anywhere. Exit status 77: there is no CUDA device.
#include <dlfcn.h>

#include <cmath>
#include <convoy/convoy.hpp>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

class Driver {
 public:
  explicit Driver(const char* name) : library_(dlopen(name, RTLD_NOW)) {
    if (library_ == nullptr) throw std::runtime_error(dlerror());
  }
  template <class... Arguments>
  void call(const char* function, Arguments... arguments) const {
    const auto entry = reinterpret_cast<int (*)(Arguments...)>(dlsym(library_, function));
    const int result = entry != nullptr ? entry(arguments...) : -1;
    if (result != 0) throw std::runtime_error(std::string(function) + " failed with " + std::to_string(result));
  }

 private:
  void* library_;
};

void blur_twice(const Driver& cuda, const convoy::Device& device) {
  convoy::ConvolutionSpec spec;
  spec.image = {1, 5, 7};  // z, y, x
  spec.kernel = {1, 3, 3};
  const std::vector<float> kernel(9, 1.0f);  // only the kernel comes from host memory
  convoy::ResidentConvolver blur(spec, {kernel, spec.kernel}, device);

  // The primary context, which the CUDA runtime, CuPy and PyTorch use too, and a stream in it.
  void* context = nullptr;
  void* stream = nullptr;
  cuda.call("cuDevicePrimaryCtxRetain", &context, 0);
  cuda.call("cuCtxPushCurrent_v2", context);
  cuda.call("cuStreamCreate", &stream, 0u);
  std::vector<float> voxels(5 * 7);
  voxels[2 * 7 + 3] = 1;  // one bright voxel
  const std::size_t bytes = voxels.size() * sizeof(float);
  std::uint64_t first = 0;  // CUdeviceptr
  std::uint64_t second = 0;
  cuda.call("cuMemAlloc_v2", &first, bytes);
  cuda.call("cuMemAlloc_v2", &second, bytes);
  cuda.call("cuMemcpyHtoD_v2", first, static_cast<const void*>(voxels.data()), bytes);

  const convoy::DeviceArray image(first, convoy::Element::f32, spec.image);
  const convoy::DeviceArray blurred(second, convoy::Element::f32, spec.image);
  blur.run(image, blurred, convoy::DeviceStream(stream));
  blur.run(blurred, image, convoy::DeviceStream(stream));  // after the run before, and over the first image

  cuda.call("cuStreamSynchronize", stream);
  cuda.call("cuMemcpyDtoH_v2", static_cast<void*>(voxels.data()), first, bytes);
  for (int i = 0; i < 5 * 7; ++i) {
    std::printf("%3ld%s", std::lround(voxels[static_cast<std::size_t>(i)]), i % 7 == 6 ? "\n" : "");
  }
  cuda.call("cuMemFree_v2", first);
  cuda.call("cuMemFree_v2", second);
  cuda.call("cuStreamDestroy_v2", stream);
  cuda.call("cuCtxPopCurrent_v2", &context);
  cuda.call("cuDevicePrimaryCtxRelease_v2", 0);
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kNoDevice = 77;
  try {
    const convoy::Device device = convoy::open_device("cuda:0");
    blur_twice(Driver(argc > 1 ? argv[1] : "libcuda.so.1"), device);
    return 0;
  } catch (const convoy::Error& problem) {
    std::fprintf(stderr, "%s\n", problem.what());
    return problem.code() == convoy::Errc::backend_unavailable ? kNoDevice : 1;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "%s\n", problem.what());
    return 1;
  }
}
