#include "backends/vulkan/physical_device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "base/host_memory.hpp"
#include "base/log.hpp"
#include "convoy/shape.hpp"

namespace convoy::backend::vulkan {
namespace {

constexpr VkMemoryPropertyFlags kSpecialMemory =
    VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT | VK_MEMORY_PROPERTY_PROTECTED_BIT |
    VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD | VK_MEMORY_PROPERTY_DEVICE_UNCACHED_BIT_AMD;

bool has_extension(VkPhysicalDevice device, const char* name) {
  std::uint32_t count = 0;
  vkEnumerateDeviceExtensionProperties(device, nullptr, &count, nullptr);
  std::vector<VkExtensionProperties> extensions(count);
  vkEnumerateDeviceExtensionProperties(device, nullptr, &count, extensions.data());
  return std::any_of(extensions.begin(), extensions.end(),
                     [&](const auto& extension) { return std::strcmp(extension.extensionName, name) == 0; });
}

std::vector<VkQueueFamilyProperties> queue_families(VkPhysicalDevice device) {
  std::uint32_t count = 0;
  vkGetPhysicalDeviceQueueFamilyProperties(device, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  vkGetPhysicalDeviceQueueFamilyProperties(device, &count, families.data());
  return families;
}

bool computes(VkPhysicalDevice device, std::uint32_t family) {
  const auto families = queue_families(device);
  return family < families.size() && (families[family].queueFlags & VK_QUEUE_COMPUTE_BIT) != 0;
}

/// A family that computes but does not draw is often the one beside which a desktop stays alive.
std::optional<std::uint32_t> find_queue_family(VkPhysicalDevice device) {
  const auto families = queue_families(device);
  std::optional<std::uint32_t> found;
  for (std::uint32_t family = 0; family < families.size(); ++family) {
    if ((families[family].queueFlags & VK_QUEUE_COMPUTE_BIT) == 0 || families[family].queueCount == 0) continue;
    if ((families[family].queueFlags & VK_QUEUE_GRAPHICS_BIT) == 0) return family;
    if (!found) found = family;
  }
  return found;
}

DeviceType to_device_type(VkPhysicalDeviceType type) {
  switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
      return DeviceType::discrete_gpu;
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
      return DeviceType::software;
    default:
      return DeviceType::integrated_gpu;
  }
}

std::string hexadecimal(const std::uint8_t (&bytes)[VK_UUID_SIZE]) {
  std::string text;
  for (const std::uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

std::string version_text(std::uint32_t version) {
  return fmt::format("{}.{}.{}", VK_API_VERSION_MAJOR(version), VK_API_VERSION_MINOR(version),
                     VK_API_VERSION_PATCH(version));
}

/// Fills in all that needs Vulkan 1.1's chained questions.
void describe(PhysicalDevice& device) {
  const std::uint32_t api = device.properties.apiVersion;
  VkPhysicalDeviceMaintenance4Properties buffers{};
  buffers.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES;
  VkPhysicalDeviceDriverProperties driver{};
  driver.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES;
  VkPhysicalDeviceMaintenance3Properties allocation{};
  allocation.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES;
  VkPhysicalDeviceIDProperties identity{};
  identity.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES;
  identity.pNext = &allocation;
  if (api >= VK_API_VERSION_1_2) allocation.pNext = &driver;
  // By extension, not by version: the instance may be a caller's, made for an older one.
  if (api >= VK_API_VERSION_1_2 && has_extension(device.handle, VK_KHR_MAINTENANCE_4_EXTENSION_NAME)) {
    driver.pNext = &buffers;
  }
  VkPhysicalDeviceProperties2 all{};
  all.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
  all.pNext = &identity;
  vkGetPhysicalDeviceProperties2(device.handle, &all);

  device.max_allocation_bytes = allocation.maxMemoryAllocationSize;
  if (buffers.maxBufferSize > 0) {
    device.max_allocation_bytes = std::min(device.max_allocation_bytes, buffers.maxBufferSize);
  }
  device.info.name = device.properties.deviceName;
  device.info.driver = driver.driverName[0] != '\0' ? fmt::format("{} {}", driver.driverName, driver.driverInfo)
                                                    : "driver " + version_text(device.properties.driverVersion);
  device.info.driver += ", Vulkan " + version_text(api);
  device.info.uuid = hexadecimal(identity.deviceUUID);
  device.info.type = to_device_type(device.properties.deviceType);
}

std::optional<PhysicalDevice> inspect(VkPhysicalDevice handle, const std::string& id) {
  PhysicalDevice device;
  device.handle = handle;
  vkGetPhysicalDeviceProperties(handle, &device.properties);
  const auto skip = [&](const char* reason) {
    log("backend", "vulkan: {} is passed over: {}", device.properties.deviceName, reason);
    return std::nullopt;
  };
  if (device.properties.apiVersion < VK_API_VERSION_1_1) return skip("its driver is older than Vulkan 1.1");
  const auto family = find_queue_family(handle);
  if (!family) return skip("none of its queues computes");
  device.queue_family = *family;
  vkGetPhysicalDeviceMemoryProperties(handle, &device.memory);
  const auto type = choose_memory_type(device.memory, ~0u, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
                                       kSpecialMemory | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT);
  if (!type) return skip("it has no device-local memory");
  device.memory_type = *type;
  device.tells_budget = has_extension(handle, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
  device.is_portability_subset = has_extension(handle, "VK_KHR_portability_subset");
  VkPhysicalDeviceFeatures features{};
  vkGetPhysicalDeviceFeatures(handle, &features);
  device.has_f64 = features.shaderFloat64 == VK_TRUE;
  describe(device);
  device.info.id = id;
  device.info.limits = query_limits(device);
  return device;
}

/// What the driver leaves to this process in the heap of slots.
std::uint64_t free_heap_bytes(const PhysicalDevice& device) {
  const std::uint32_t heap = device.heap();
  if (!device.tells_budget) return device.memory.memoryHeaps[heap].size / 10 * 8;
  VkPhysicalDeviceMemoryBudgetPropertiesEXT budget{};
  budget.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT;
  VkPhysicalDeviceMemoryProperties2 all{};
  all.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2;
  all.pNext = &budget;
  vkGetPhysicalDeviceMemoryProperties2(device.handle, &all);
  const std::uint64_t left = budget.heapBudget[heap];
  const std::uint64_t used = budget.heapUsage[heap];
  return left > used ? left - used : 0;
}

}  // namespace

std::vector<PhysicalDevice> find_physical_devices(VkInstance instance) {
  std::uint32_t count = 0;
  vkEnumeratePhysicalDevices(instance, &count, nullptr);
  std::vector<VkPhysicalDevice> handles(count);
  vkEnumeratePhysicalDevices(instance, &count, handles.data());
  std::vector<PhysicalDevice> devices;
  for (const VkPhysicalDevice handle : handles) {
    if (auto device = inspect(handle, fmt::format("vulkan:{}", devices.size()))) devices.push_back(std::move(*device));
  }
  return devices;
}

std::optional<PhysicalDevice> describe_physical_device(VkPhysicalDevice handle, std::uint32_t queue_family) {
  auto device = inspect(handle, "vulkan:caller's");
  if (!device || !computes(handle, queue_family)) return std::nullopt;
  device->queue_family = queue_family;
  return device;
}

Limits query_limits(const PhysicalDevice& device) {
  const VkPhysicalDeviceLimits& reported = device.properties.limits;
  Limits limits;
  limits.total_bytes = device.memory.memoryHeaps[device.heap()].size;
  limits.free_bytes = free_heap_bytes(device);
  limits.max_allocation_bytes = device.max_allocation_bytes;
  limits.max_binding_bytes = reported.maxStorageBufferRange;
  limits.shared_memory_bytes = reported.maxComputeSharedMemorySize;
  limits.coalesced_bytes = device.coalesced_bytes();
  limits.offset_alignment_bytes = reported.minStorageBufferOffsetAlignment;
  std::copy_n(reported.maxComputeWorkGroupCount, 3, limits.max_groups.begin());
  limits.supports_f64 = device.has_f64;
  switch (device.info.type) {
    case DeviceType::discrete_gpu:
      limits.memory_bytes_per_second = 500e9;
      limits.transfer_bytes_per_second = 12e9;
      break;
    case DeviceType::integrated_gpu:
      limits.memory_bytes_per_second = 50e9;
      limits.transfer_bytes_per_second = 20e9;
      break;
    default:
      limits.free_bytes = std::min(limits.free_bytes, available_host_bytes());
      limits.memory_bytes_per_second = 2e9;
      limits.transfer_bytes_per_second = 5e9;
  }
  const bool own_memory = device.info.type == DeviceType::discrete_gpu;
  limits.memory_is_host = !own_memory;
  limits.reserve_bytes = limits.free_bytes / (own_memory ? 20 : 10);
  return limits;
}

std::optional<std::uint32_t> choose_memory_type(const VkPhysicalDeviceMemoryProperties& memory,
                                                std::uint32_t allowed_types, VkMemoryPropertyFlags wanted,
                                                VkMemoryPropertyFlags unwanted) {
  std::optional<std::uint32_t> best;
  // Fewest unwanted flags first, then the largest heap; equal types stay in the driver's order, which is by speed.
  const auto rank = [&](std::uint32_t type) {
    const auto& candidate = memory.memoryTypes[type];
    return std::pair(-std::popcount(candidate.propertyFlags & unwanted), memory.memoryHeaps[candidate.heapIndex].size);
  };
  for (std::uint32_t type = 0; type < memory.memoryTypeCount; ++type) {
    const VkMemoryPropertyFlags flags = memory.memoryTypes[type].propertyFlags;
    if ((allowed_types >> type & 1) == 0 || (flags & wanted) != wanted) continue;
    if (!best || rank(type) > rank(*best)) best = type;
  }
  return best;
}

}  // namespace convoy::backend::vulkan
