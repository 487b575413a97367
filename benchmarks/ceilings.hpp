// What the machine's memory and bus can do: what times are held against.
#pragma once

#include <string>

#include "convoy/device.hpp"

namespace convoy::bench {

/// 0 where a rate was not measured.
struct Ceilings {
  double copy_bytes_per_second = 0;            ///< a large copy within device memory, bytes read + bytes written
  double host_to_device_bytes_per_second = 0;  ///< from pinned memory
  double device_to_host_bytes_per_second = 0;  ///< to pinned memory
  std::string measured_by;                     ///< how, or why not
};

/// CUDA devices, and Vulkan devices that CUDA knows too, are measured through CUDA's driver with events; the CPU by a
/// copy on all threads. Of others only what convoy expects of them is reported.
Ceilings measure_ceilings(const DeviceInfo& device);

/// The CUDA ordinal of the device, or -1.
int cuda_ordinal(const DeviceInfo& device);

}  // namespace convoy::bench
