// AMD devices through the HIP runtime, which is loaded when first asked for.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>

#include "backends/backend.hpp"
#include "backends/gpu/convolution.hpp"
#include "backends/gpu/device.hpp"
#include "backends/hip/hip_vkfft.hpp"

namespace convoy::backend {
namespace hip {
namespace {

int attribute(hipDeviceAttribute_t wanted, int ordinal) {
  int value = 0;
  return hipDeviceGetAttribute(&value, wanted, ordinal) == hipSuccess ? value : 0;
}

std::uint64_t attribute_or(std::uint64_t otherwise, hipDeviceAttribute_t wanted, int ordinal) {
  const int value = attribute(wanted, ordinal);
  return value > 0 ? static_cast<std::uint64_t>(value) : otherwise;
}

std::string uuid(hipDevice_t device) {
  hipUUID id{};
  if (hipDeviceGetUuid == nullptr || hipDeviceGetUuid(&id, device) != hipSuccess) return "";
  return std::string(id.bytes, strnlen(id.bytes, sizeof id.bytes));  // AMD's are 16 letters and digits
}

Limits limits(int ordinal) {
  constexpr std::uint64_t kMiB = 1 << 20;
  constexpr double kReachedShareOfPeak = 0.8;
  Limits limits;
  std::size_t free_bytes = 0;
  std::size_t total_bytes = 0;
  {
    const Api::Current current(Api::Handle{.ordinal = ordinal});
    if (current.result() == hipSuccess) static_cast<void>(Api::memory_info(&free_bytes, &total_bytes));
  }
  limits.total_bytes = total_bytes;
  limits.free_bytes = free_bytes;
  limits.reserve_bytes = std::max<std::uint64_t>(256 * kMiB, total_bytes / 50);
  limits.shared_memory_bytes = attribute_or(64 << 10, hipDeviceAttributeMaxSharedMemoryPerBlock, ordinal);
  limits.coalesced_bytes = 64;
  limits.offset_alignment_bytes = 16;
  limits.max_kernel_parameters = 1000;  // of 4096 bytes
  limits.max_groups = {attribute_or(65535, hipDeviceAttributeMaxGridDimX, ordinal),
                       attribute_or(65535, hipDeviceAttributeMaxGridDimY, ordinal),
                       attribute_or(65535, hipDeviceAttributeMaxGridDimZ, ordinal)};
  const double clock_hertz = 1e3 * attribute(hipDeviceAttributeMemoryClockRate, ordinal);
  const double bus_bytes = attribute(hipDeviceAttributeMemoryBusWidth, ordinal) / 8.0;
  limits.memory_bytes_per_second = kReachedShareOfPeak * 2 * clock_hertz * bus_bytes;
  limits.transfer_bytes_per_second = 2.5e10;
  limits.transfers_overlap = true;
  return limits;
}

DeviceInfo describe(int ordinal) {
  hipDevice_t device = 0;
  if (const hipError_t result = hipDeviceGet(&device, ordinal); result != hipSuccess) {
    throw Error(Errc::backend_unavailable, fmt::format("hip:{} is not there: {}", ordinal, error_text(result)));
  }
  DeviceInfo info;
  info.id = fmt::format("hip:{}", ordinal);
  char name[256] = "";
  static_cast<void>(hipDeviceGetName(name, sizeof name, device));
  info.name = name;
  const int version = driver().runtime_version;  // 50221153 for 5.2.21153
  info.driver = fmt::format("HIP runtime {}.{}.{}", version / 10000000, version / 100000 % 100, version % 100000);
  info.uuid = uuid(device);
  info.architecture = architecture(ordinal);
  info.type =
      attribute(hipDeviceAttributeIntegrated, ordinal) != 0 ? DeviceType::integrated_gpu : DeviceType::discrete_gpu;
  info.limits = limits(ordinal);
  info.limits.memory_is_host = info.type == DeviceType::integrated_gpu;
  gpu::bound_by_host(info.limits);
  return info;
}

class HipBackend final : public Backend {
 public:
  const char* name() const override { return Api::kName; }

  BackendInfo probe() override {
    BackendInfo found{.name = name(), .unavailable_because = driver().problem, .devices = {}};
    if (!found.unavailable_because.empty()) return found;
    for (int ordinal = 0; ordinal < driver().num_devices; ++ordinal) found.devices.push_back(describe(ordinal));
    return found;
  }

  std::shared_ptr<Device> open(int index) override {
    if (!driver().problem.empty()) throw Error(Errc::backend_unavailable, "hip: " + driver().problem);
    if (index < 0 || index >= driver().num_devices) {
      throw Error(Errc::backend_unavailable,
                  fmt::format("hip:{} is not there: the runtime shows {} devices", index, driver().num_devices));
    }
    return open_devices_.open(index, describe);
  }

 private:
  gpu::OpenDevices<Api> open_devices_;
};

}  // namespace
}  // namespace hip

Backend& hip_backend() {
  static hip::HipBackend backend;
  return backend;
}

}  // namespace convoy::backend
