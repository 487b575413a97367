// The CPU as a device: always there when FFTW is, and the oracle for all others.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "backends/backend.hpp"
#include "backends/cpu/cpu_session.hpp"
#include "backends/cpu/fftw.hpp"
#include "base/host_memory.hpp"
#include "convoy/bytes_text.hpp"
#if defined(_WIN32)
#include "base/windows.hpp"
#endif

namespace convoy::backend {
namespace cpu {
namespace {

std::string processor_name() {
#if defined(_WIN32)
  char name[128];
  DWORD bytes = sizeof name;
  constexpr const char* kKey = "HARDWARE\\DESCRIPTION\\System\\CentralProcessor\\0";
  const LSTATUS problem =
      ::RegGetValueA(HKEY_LOCAL_MACHINE, kKey, "ProcessorNameString", RRF_RT_REG_SZ, nullptr, name, &bytes);
  return problem == ERROR_SUCCESS ? name : "CPU";
#else
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "CPU";
#endif
}

Limits query_limits() {
  Limits limits;
  const MemoryAllowance allowance = allowance_of_process();
  limits.total_bytes = allowance.total;
  limits.free_bytes = std::min(allowance.total, allowance.available);
  limits.reserve_bytes = limits.free_bytes / 10;
  limits.memory_is_host = true;
  limits.num_host_threads = static_cast<std::uint64_t>(default_num_threads());
  // Transforms, not memory, set the pace: what S1 of the benchmarks moves a second on two threads.
  limits.memory_bytes_per_second = 4e9 * std::min(8.0, 0.5 + 0.5 * default_num_threads());
  return limits;
}

class CpuDevice final : public Device, public std::enable_shared_from_this<CpuDevice> {
 public:
  explicit CpuDevice(DeviceInfo info) : info_(std::move(info)) {}

  const DeviceInfo& info() const override { return info_; }
  bool survives_fork() const override { return true; }
  Limits limits() const override { return query_limits(); }
  std::uint64_t used_bytes() const override { return count_.used(); }
  std::uint64_t peak_bytes() const override { return count_.peak(); }
  void reset_peak() override { count_.reset_peak(); }

  std::unique_ptr<Session> load(const Program& program, const LoadOptions& options) override {
    const std::uint64_t needed = program.footprint_bytes();
    const std::uint64_t free = query_limits().free_bytes;
    // Linux promises memory that it does not have, so the question is asked before the allocation.
    if (needed > free) {
      throw OutOfMemory(fmt::format("the CPU has {} of memory available, but {} are needed", bytes_to_text(free),
                                    bytes_to_text(needed)),
                        needed, free, "available memory");
    }
    return std::make_unique<CpuSession>(program, options, host_workers(), count_, shared_from_this());
  }

 private:
  DeviceInfo info_;
  MemoryCount count_;
};

class CpuBackend final : public Backend {
 public:
  const char* name() const override { return "cpu"; }
  bool survives_fork() const override { return true; }

  BackendInfo probe() override {
    BackendInfo info{"cpu", "", {}};
    for (const std::string& reason : {Fftw<float>::why_not(), Fftw<double>::why_not()}) {
      if (!reason.empty()) {
        info.unavailable_because = reason;
        return info;
      }
    }
    const int num_threads = default_num_threads();
    info.devices.push_back({"cpu:0",
                            fmt::format("{}, {} thread{}", processor_name(), num_threads, num_threads == 1 ? "" : "s"),
                            Fftw<float>::instance().version(), "", "", DeviceType::cpu, query_limits()});
    return info;
  }

  std::shared_ptr<Device> open(int index) override {
    const BackendInfo info = probe();
    if (info.devices.empty()) throw Error(Errc::backend_unavailable, info.unavailable_because);
    return std::make_shared<CpuDevice>(info.devices.at(static_cast<std::size_t>(index)));
  }
};

}  // namespace
}  // namespace cpu

Backend& cpu_backend() {
  static cpu::CpuBackend backend;
  return backend;
}

}  // namespace convoy::backend
