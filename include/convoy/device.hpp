// Which backends and devices this machine has, and how to open one.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "convoy/export.h"

namespace convoy::backend {
class Device;
}

namespace convoy::inline v0 {

/// What a device can hold. Every ceiling stands alone; they are never added up. 0 bytes in a ceiling means "no limit".
/// The planner sees a device through this value only.
struct Limits {
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;            ///< as the driver reported when asked
  std::uint64_t reserve_bytes = 0;         ///< of free_bytes, what convoy leaves to others
  std::uint64_t max_allocation_bytes = 0;  ///< largest single allocation
  std::uint64_t max_binding_bytes = 0;     ///< largest buffer that a kernel may see
  std::uint64_t shared_memory_bytes = 0;   ///< per workgroup; bounds transform lengths (0: any length)
  std::uint64_t cache_bytes = 0;           ///< of the last cache before device memory (0: unknown)
  std::uint64_t num_multiprocessors = 0;   ///< how many workgroups run at once follows from it (0: unknown)
  std::uint64_t coalesced_bytes = 0;       ///< width of a strided access; bounds strided transform lengths
  std::uint64_t offset_alignment_bytes = 1;
  std::array<std::uint64_t, 3> max_groups{0x7fffffff, 65535, 65535};
  std::uint64_t max_kernel_parameters = 32;  ///< numbers of 4 bytes that a launch takes beside its buffers
  bool supports_f64 = true;
  /// Forward progress between workgroups: a workgroup may wait for those of its launch that began before it. Where it
  /// holds, num_multiprocessors and cache_bytes are known.
  bool workgroups_may_wait = false;
  bool memory_is_host = false;         ///< the device's memory is the machine's own
  std::uint64_t num_host_threads = 0;  ///< where that is so: threads that compute, each with scratch of its own
  double memory_bytes_per_second =
      0;  ///< expected streaming rate of device memory, read + write; a guess, for predictions
  double transfer_bytes_per_second = 0;  ///< expected rate of host <-> device copies, each way; 0: no copies are needed
  bool transfers_overlap = false;        ///< uploads, computing and downloads of different tiles run beside each other
};

enum class DeviceType { discrete_gpu, integrated_gpu, cpu, software };

/// "discrete GPU", "integrated GPU", "CPU", "software".
CONVOY_API const char* name(DeviceType type);

struct DeviceInfo {
  std::string id;            ///< what open_device takes: "cuda:0", "vulkan:1", "cpu"
  std::string name;          ///< as the driver calls it
  std::string driver;        ///< driver or library, with version
  std::string uuid;          ///< stable over reboots where the driver has one, else empty
  std::string architecture;  ///< "sm_90", "gfx90a", or empty
  DeviceType type = DeviceType::cpu;
  Limits limits;
};

struct BackendInfo {
  std::string name;                 ///< as in "cuda"
  std::string unavailable_because;  ///< empty when there is at least one device
  std::vector<DeviceInfo> devices;
};

/// Every backend of this build with its devices, or the reason it has none. Loads drivers; allocates no device memory.
/// Does not throw for absent drivers.
CONVOY_API std::vector<BackendInfo> list_backends();

/// Names of the backends of this build, in order of preference. Loads nothing.
CONVOY_API std::vector<std::string> backend_names();

/// An open device. Copies share it; it is closed with the last copy or session. Safe to share between threads.
///
/// After fork() a child can use the cpu and what was made on it, unless another thread of the parent was using that
/// very object. GPU drivers do not survive a fork: in the child their devices, and what was made on them, throw
/// Error(unsupported) when used, are not closed, and open_device() throws Error(backend_unavailable) for backends that
/// the parent had used. Start workers before the first use of a GPU, or by exec as Python's "spawn" does.
class CONVOY_API Device {
 public:
  explicit Device(std::shared_ptr<backend::Device> device);

  const DeviceInfo& info() const;
  /// Asks the driver now; free_bytes changes with time. CONVOY_LIMIT_* variables lower what it says.
  Limits limits() const;
  /// Device memory that convoy holds on this device now, in bytes.
  std::uint64_t used_bytes() const;

 private:
  friend backend::Device& implementation_of(const Device& device);  // for convoy's own layers

  std::shared_ptr<backend::Device> device_;
  std::uint64_t opened_in_;  // fork_generation() then
};

/// Opens "auto", "cpu", "cuda", "cuda:1", "vulkan:0" ... "auto" takes a discrete GPU, then an integrated one, then the
/// CPU; within a rank in the order of list_backends(). Software Vulkan is taken only when named. After fork() see
/// Device. Throws Error(backend_unavailable) with the reason, or Error(invalid_argument) for a name that means nothing.
CONVOY_API Device open_device(const std::string& id = "auto");

}  // namespace convoy::inline v0
