// NVIDIA devices through the CUDA driver, which is loaded when first asked for.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "backends/backend.hpp"
#include "backends/cuda/cuda_vkfft.hpp"
#include "backends/gpu/convolution.hpp"
#include "backends/gpu/device.hpp"
#include "base/log.hpp"

namespace convoy::backend {
namespace cuda {
namespace {

int attribute(CUdevice_attribute wanted, CUdevice device) {
  int value = 0;
  return cuDeviceGetAttribute(&value, wanted, device) == CUDA_SUCCESS ? value : 0;
}

std::uint64_t bytes_attribute(CUdevice_attribute wanted, CUdevice device) {
  return static_cast<std::uint64_t>(attribute(wanted, device));
}

std::string uuid(CUdevice device) {
  CUuuid id{};
  if (cuDeviceGetUuid == nullptr || cuDeviceGetUuid(&id, device) != CUDA_SUCCESS) return "";
  std::string text;
  for (std::size_t i = 0; i < sizeof id.bytes; ++i) {
    text += fmt::format("{}{:02x}", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                        static_cast<unsigned char>(id.bytes[i]));
  }
  return text;
}

/// Asking for free memory needs a context. Making one would allocate, so it is asked only where there is one.
std::uint64_t free_bytes_without_opening(CUdevice device, std::uint64_t total_bytes) {
  unsigned flags = 0;
  int active = 0;
  if (cuDevicePrimaryCtxGetState(device, &flags, &active) != CUDA_SUCCESS || active == 0) return total_bytes;
  Api::Handle handle{.device = device};
  if (cuDevicePrimaryCtxRetain(&handle.context, device) != CUDA_SUCCESS) return total_bytes;
  std::size_t free_bytes = total_bytes;
  std::size_t total = 0;
  {
    const Api::Current current(handle);
    if (current.result() == CUDA_SUCCESS) Api::memory_info(&free_bytes, &total);
  }
  Api::close(handle);
  return free_bytes;
}

/// The driver does not report the bus; each generation has one: PCIe 3, 4, and 5 from Hopper on.
double bus_bytes_per_second(int compute_major) {
  return compute_major >= 9 ? 5.5e10 : compute_major == 8 ? 2.5e10 : 1.2e10;
}

Limits limits(CUdevice device) {
  constexpr std::uint64_t kMiB = 1 << 20;
  constexpr double kReachedShareOfPeak = 0.87;  // what copies reach of the memory clock's promise
  Limits limits;
  std::size_t total_bytes = 0;
  cuDeviceTotalMem(&total_bytes, device);
  limits.total_bytes = total_bytes;
  limits.free_bytes = free_bytes_without_opening(device, total_bytes);
  limits.reserve_bytes = std::max<std::uint64_t>(256 * kMiB, total_bytes / 50);
  limits.shared_memory_bytes = bytes_attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, device);
  limits.cache_bytes = bytes_attribute(CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE, device);
  limits.num_multiprocessors = bytes_attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, device);
  limits.workgroups_may_wait = true;
  limits.coalesced_bytes = 64;
  limits.offset_alignment_bytes = 16;
  limits.max_kernel_parameters = 1000;  // of 4096 bytes
  limits.max_groups = {bytes_attribute(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X, device),
                       bytes_attribute(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y, device),
                       bytes_attribute(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z, device)};
  const double clock_hertz = 1e3 * attribute(CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE, device);
  const double bus_bytes = attribute(CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH, device) / 8.0;
  limits.memory_bytes_per_second = kReachedShareOfPeak * 2 * clock_hertz * bus_bytes;
  limits.transfer_bytes_per_second =
      bus_bytes_per_second(attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device));
  limits.transfers_overlap = true;
  return limits;
}

DeviceInfo describe(int ordinal) {
  CUdevice device = 0;
  if (const CUresult result = cuDeviceGet(&device, ordinal); result != CUDA_SUCCESS) {
    throw Error(Errc::backend_unavailable, fmt::format("cuda:{} is not there: {}", ordinal, error_text(result)));
  }
  DeviceInfo info;
  info.id = fmt::format("cuda:{}", ordinal);
  char name[256] = "";
  cuDeviceGetName(name, sizeof name, device);
  info.name = name;
  info.driver = fmt::format("CUDA driver {}.{}, NVRTC {}.{}", driver().version / 1000, driver().version % 1000 / 10,
                            driver().nvrtc_major, driver().nvrtc_minor);
  if (!driver().passed_over.empty()) info.driver += fmt::format(" ({})", driver().passed_over);
  info.uuid = uuid(device);
  info.architecture = fmt::format("sm_{}{}", attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device),
                                  attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device));
  info.type =
      attribute(CU_DEVICE_ATTRIBUTE_INTEGRATED, device) != 0 ? DeviceType::integrated_gpu : DeviceType::discrete_gpu;
  info.limits = limits(device);
  info.limits.memory_is_host = info.type == DeviceType::integrated_gpu;
  gpu::bound_by_host(info.limits);
  return info;
}

/// VkFFT has NVRTC compile for exactly the device's architecture, so NVRTC must know it.
std::string why_not_compilable(const DeviceInfo& info) {
  const std::vector<int> known = nvrtc_architectures();
  if (known.empty()) return "";
  for (const int architecture : known) {
    if (info.architecture == fmt::format("sm_{}", architecture)) return "";
  }
  return fmt::format(
      "{} ({}) is {}, which NVRTC {}.{} does not know: it knows sm_{} to sm_{}; install an NVRTC that "
      "does and name it in CONVOY_NVRTC_LIBRARY, or use vulkan on this GPU",
      info.id, info.name, info.architecture, driver().nvrtc_major, driver().nvrtc_minor, known.front(), known.back());
}

class CudaBackend final : public Backend {
 public:
  const char* name() const override { return Api::kName; }

  BackendInfo probe() override {
    BackendInfo found{.name = name(), .unavailable_because = driver().problem, .devices = {}};
    if (!found.unavailable_because.empty()) return found;
    std::string problems;
    for (int ordinal = 0; ordinal < driver().num_devices; ++ordinal) {
      DeviceInfo info = describe(ordinal);
      const std::string problem = why_not_compilable(info);
      if (!problem.empty()) {
        log("backend", "{}", problem);
        problems += (problems.empty() ? "" : "; ") + problem;
      }
      found.devices.push_back(std::move(info));
    }
    if (!problems.empty() && std::all_of(found.devices.begin(), found.devices.end(),
                                         [](const DeviceInfo& info) { return !why_not_compilable(info).empty(); })) {
      found.devices.clear();
      found.unavailable_because = problems;
    }
    return found;
  }

  std::shared_ptr<Device> open(int index) override {
    if (!driver().problem.empty()) throw Error(Errc::backend_unavailable, "cuda: " + driver().problem);
    if (index < 0 || index >= driver().num_devices) {
      throw Error(Errc::backend_unavailable,
                  fmt::format("cuda:{} is not there: the driver shows {} devices", index, driver().num_devices));
    }
    return open_devices_.open(index, describe);
  }

 private:
  gpu::OpenDevices<Api> open_devices_;
};

}  // namespace
}  // namespace cuda

Backend& cuda_backend() {
  static cuda::CudaBackend backend;
  return backend;
}

}  // namespace convoy::backend
