#include "backends/vulkan/vulkan_api.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "backends/vulkan/session_memory.hpp"
#include "base/driver_libraries.hpp"
#include "base/log.hpp"
#include "base/shared_library.hpp"
#include "convoy/error.hpp"

namespace convoy::backend::vulkan {

#define CONVOY_DEFINE(function) PFN_##function function = nullptr;
CONVOY_VULKAN_GLOBAL_FUNCTIONS(CONVOY_DEFINE)
CONVOY_VULKAN_INSTANCE_FUNCTIONS(CONVOY_DEFINE)
#undef CONVOY_DEFINE

namespace {

PFN_vkGetInstanceProcAddr instance_proc_addr = nullptr;

template <class Function>
void find(Function& function, const char* name, VkInstance instance, std::string& missing) {
  function = reinterpret_cast<Function>(instance_proc_addr(instance, name));
  if (function == nullptr && missing.empty()) missing = name;
}

/// Whether the loader hides drivers that lack a part of Vulkan, as MoltenVK on macOS, unless it is asked for them.
bool hides_portability_drivers() {
  std::uint32_t count = 0;
  if (vkEnumerateInstanceExtensionProperties(nullptr, &count, nullptr) != VK_SUCCESS) return false;
  std::vector<VkExtensionProperties> extensions(count);
  vkEnumerateInstanceExtensionProperties(nullptr, &count, extensions.data());
  return std::ranges::any_of(extensions, [](const VkExtensionProperties& extension) {
    return std::string_view(extension.extensionName) == VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME;
  });
}

Loader load() {
  const SharedLibrary library = open_driver(DriverLibrary::vulkan);
  if (!library.loaded()) return {VK_NULL_HANDLE, "no Vulkan loader: " + library.why_not()};
  instance_proc_addr = reinterpret_cast<PFN_vkGetInstanceProcAddr>(library.symbol("vkGetInstanceProcAddr"));
  if (instance_proc_addr == nullptr) return {VK_NULL_HANDLE, library.name() + " is no Vulkan loader"};

  std::string missing;
#define CONVOY_FIND(function) find(function, #function, VK_NULL_HANDLE, missing);
  CONVOY_VULKAN_GLOBAL_FUNCTIONS(CONVOY_FIND)
#undef CONVOY_FIND
  if (!missing.empty()) return {VK_NULL_HANDLE, library.name() + " is older than Vulkan 1.1: it lacks " + missing};

  VkApplicationInfo application{};
  application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
  application.pApplicationName = "convoy";
  application.apiVersion = VK_API_VERSION_1_3;
  VkInstanceCreateInfo creation{};
  creation.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
  creation.pApplicationInfo = &application;
  const char* const enumeration = VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME;
  if (hides_portability_drivers()) {
    creation.flags |= VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR;
    creation.enabledExtensionCount = 1;
    creation.ppEnabledExtensionNames = &enumeration;
  }
  VkInstance instance = VK_NULL_HANDLE;
  const VkResult result = vkCreateInstance(&creation, nullptr, &instance);
  if (result == VK_ERROR_INCOMPATIBLE_DRIVER) {
    return {VK_NULL_HANDLE, library.name() + " is present, but no Vulkan driver (ICD) is installed for it"};
  }
  if (result != VK_SUCCESS) return {VK_NULL_HANDLE, "vkCreateInstance failed with " + to_text(result)};
#define CONVOY_FIND(function) find(function, #function, instance, missing);
  CONVOY_VULKAN_INSTANCE_FUNCTIONS(CONVOY_FIND)
#undef CONVOY_FIND
  if (!missing.empty()) return {VK_NULL_HANDLE, library.name() + " lacks " + missing};
  hook_allocations();
  log("backend", "vulkan: loaded {}", library.name());
  return {instance, {}};
}

const char* name(VkResult result) {
  switch (result) {
    case VK_SUCCESS:
      return "VK_SUCCESS";
    case VK_NOT_READY:
      return "VK_NOT_READY";
    case VK_TIMEOUT:
      return "VK_TIMEOUT";
    case VK_INCOMPLETE:
      return "VK_INCOMPLETE";
    case VK_ERROR_OUT_OF_HOST_MEMORY:
      return "VK_ERROR_OUT_OF_HOST_MEMORY";
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
      return "VK_ERROR_OUT_OF_DEVICE_MEMORY";
    case VK_ERROR_INITIALIZATION_FAILED:
      return "VK_ERROR_INITIALIZATION_FAILED";
    case VK_ERROR_DEVICE_LOST:
      return "VK_ERROR_DEVICE_LOST";
    case VK_ERROR_MEMORY_MAP_FAILED:
      return "VK_ERROR_MEMORY_MAP_FAILED";
    case VK_ERROR_EXTENSION_NOT_PRESENT:
      return "VK_ERROR_EXTENSION_NOT_PRESENT";
    case VK_ERROR_FEATURE_NOT_PRESENT:
      return "VK_ERROR_FEATURE_NOT_PRESENT";
    case VK_ERROR_INCOMPATIBLE_DRIVER:
      return "VK_ERROR_INCOMPATIBLE_DRIVER";
    case VK_ERROR_TOO_MANY_OBJECTS:
      return "VK_ERROR_TOO_MANY_OBJECTS";
    case VK_ERROR_FRAGMENTED_POOL:
      return "VK_ERROR_FRAGMENTED_POOL";
    case VK_ERROR_OUT_OF_POOL_MEMORY:
      return "VK_ERROR_OUT_OF_POOL_MEMORY";
    default:
      return "a Vulkan error";
  }
}

}  // namespace

const Loader& loader() {
  static const Loader the_loader = load();
  return the_loader;
}

std::string to_text(VkResult result) { return fmt::format("{} ({})", name(result), static_cast<int>(result)); }

void check(VkResult result, const char* action, const std::string& device_id) {
  if (result == VK_SUCCESS) return;
  const std::string text = fmt::format("{}: {} failed with {}", device_id, action, to_text(result));
  if (result == VK_ERROR_OUT_OF_HOST_MEMORY || result == VK_ERROR_OUT_OF_DEVICE_MEMORY) {
    throw OutOfMemory(text + "; set a lower memory limit, or end what else uses the device", 0, 0, "driver memory");
  }
  if (result == VK_ERROR_DEVICE_LOST) {
    throw Error(Errc::device_lost, text + ": the driver has given the device up; open it again or use another one");
  }
  throw Error(Errc::unsupported, text);
}

}  // namespace convoy::backend::vulkan
