// A GPU as Vulkan describes it, before it is opened.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "backends/vulkan/vulkan_api.hpp"
#include "convoy/device.hpp"

namespace convoy::backend::vulkan {

struct PhysicalDevice {
  VkPhysicalDevice handle = VK_NULL_HANDLE;
  VkPhysicalDeviceProperties properties{};
  VkPhysicalDeviceMemoryProperties memory{};
  std::uint32_t queue_family = 0;      ///< one that computes
  std::uint32_t memory_type = 0;       ///< device-local memory for slots
  bool tells_budget = false;           ///< has VK_EXT_memory_budget
  bool is_portability_subset = false;  ///< MoltenVK: a driver that lacks parts of Vulkan
  bool has_f64 = false;
  std::uint64_t max_allocation_bytes = 0;
  DeviceInfo info;

  std::uint32_t heap() const { return memory.memoryTypes[memory_type].heapIndex; }
  /// Widths that VkFFT takes by itself for the vendor.
  std::uint64_t coalesced_bytes() const { return known_vendor() ? 32 : 64; }

 private:
  bool known_vendor() const { return properties.vendorID == 0x10DE || properties.vendorID == 0x1002; }
};

/// Those that compute and know Vulkan 1.1, in the loader's order, which the numbers in their ids follow.
std::vector<PhysicalDevice> find_physical_devices(VkInstance instance);

/// One that a caller names, with the queue family that the caller uses. None if it is older than Vulkan 1.1 or the
/// family does not compute.
std::optional<PhysicalDevice> describe_physical_device(VkPhysicalDevice handle, std::uint32_t queue_family);

/// Asks the driver now.
Limits query_limits(const PhysicalDevice& device);

/// Index of the allowed type with all wanted flags and the fewest unwanted ones; none if there is none.
std::optional<std::uint32_t> choose_memory_type(const VkPhysicalDeviceMemoryProperties& memory,
                                                std::uint32_t allowed_types, VkMemoryPropertyFlags wanted,
                                                VkMemoryPropertyFlags unwanted);

}  // namespace convoy::backend::vulkan
