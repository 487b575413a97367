#include "ceilings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/worker_pool.hpp"
#include "convoy/error.hpp"
#include "cuda_driver.hpp"
#include "times.hpp"

namespace convoy::bench {
namespace {

constexpr int kCopiesOfCeiling = 9;

Ceilings measure_cuda(int ordinal) {
  constexpr std::size_t kDeviceBytes = std::size_t{1} << 30;
  constexpr std::size_t kHostBytes = std::size_t{1} << 28;
  const CudaDriver& cuda = CudaDriver::instance();
  const CudaContext context(ordinal);
  const CudaBuffer from(kDeviceBytes);
  const CudaBuffer to(kDeviceBytes);
  const CudaPinnedBuffer host(kHostBytes);
  std::memset(host.data(), 0x3c, kHostBytes);
  cuda.check(cuda.fill_bytes(from.address(), 0x3c, kDeviceBytes, nullptr), "cuMemsetD8Async");
  CudaTimer timer;
  const auto best_rate = [&](double bytes, const auto& copy) {
    return bytes / best_seconds(kCopiesOfCeiling, [&] { return timer.seconds(copy); });
  };
  Ceilings rates;
  rates.copy_bytes_per_second = best_rate(2.0 * kDeviceBytes, [&] {
    cuda.check(cuda.copy_on_device(to.address(), from.address(), kDeviceBytes, nullptr), "cuMemcpyDtoDAsync");
  });
  rates.host_to_device_bytes_per_second = best_rate(static_cast<double>(kHostBytes), [&] {
    cuda.check(cuda.copy_to_device(to.address(), host.data(), kHostBytes, nullptr), "cuMemcpyHtoDAsync");
  });
  rates.device_to_host_bytes_per_second = best_rate(static_cast<double>(kHostBytes), [&] {
    cuda.check(cuda.copy_to_host(host.data(), to.address(), kHostBytes, nullptr), "cuMemcpyDtoHAsync");
  });
  rates.measured_by =
      fmt::format("CUDA copies of 1 GiB on the device and 256 MiB over the bus, best of {}", kCopiesOfCeiling);
  return rates;
}

Ceilings measure_cpu() {
  constexpr std::size_t kBytes = std::size_t{1} << 28;
  constexpr std::int64_t kPiece = 1 << 20;
  const std::vector<char> from(kBytes, 1);
  std::vector<char> to(kBytes, 2);
  const auto copy = [&] {
    const Stopwatch watch;
    host_workers().for_each(kBytes, kPiece, [&](int, std::int64_t begin, std::int64_t end) {
      std::memcpy(to.data() + begin, from.data() + begin, static_cast<std::size_t>(end - begin));
    });
    return watch.seconds();
  };
  Ceilings rates;
  rates.copy_bytes_per_second = 2.0 * kBytes / best_seconds(kCopiesOfCeiling, copy);
  rates.measured_by =
      fmt::format("memcpy of 256 MiB on {} threads, best of {}", host_workers().num_threads(), kCopiesOfCeiling);
  return rates;
}

}  // namespace

int cuda_ordinal(const DeviceInfo& device) {
  if (!CudaDriver::why_not().empty()) return -1;
  if (device.id.starts_with("cuda:")) return std::atoi(device.id.c_str() + 5);
  return device.uuid.empty() ? -1 : cuda_ordinal_of(device.uuid);
}

Ceilings measure_ceilings(const DeviceInfo& device) {
  if (device.type == DeviceType::cpu) return measure_cpu();
  if (const int ordinal = cuda_ordinal(device); ordinal >= 0) return measure_cuda(ordinal);
  Ceilings rates;
  rates.copy_bytes_per_second = device.limits.memory_bytes_per_second;
  rates.measured_by = "not measured: what convoy expects of such a device";
  return rates;
}

}  // namespace convoy::bench
