// open_vulkan_device: a device that the caller has opened. No other API needs it, for their devices are shared in a
// process.
#include "backends/registry.hpp"
#include "convoy/error.hpp"
#include "convoy/resident.hpp"

#ifdef CONVOY_VULKAN_IS_BUILT
#include <fmt/format.h>

#include "backends/vulkan/device.hpp"

namespace convoy::backend {
Backend& vulkan_backend();

namespace vulkan {
namespace {

convoy::Device callers_device(const VulkanHandles& handles) {
  require_devices(vulkan_backend());
  auto physical =
      describe_physical_device(static_cast<VkPhysicalDevice>(handles.physical_device), handles.queue_family);
  if (!physical) {
    throw Error(Errc::unsupported,
                fmt::format("the caller's Vulkan device is older than Vulkan 1.1, or its queue family {} does not "
                            "compute (CONVOY_LOG=backend says more)",
                            handles.queue_family));
  }
  return handed_out(std::make_shared<VulkanDevice>(std::move(*physical), static_cast<VkDevice>(handles.device),
                                                   static_cast<VkQueue>(handles.queue)));
}

}  // namespace
}  // namespace vulkan
}  // namespace convoy::backend
#endif

namespace convoy::inline v0 {

Device open_vulkan_device(const VulkanHandles& handles) {
  if (handles.physical_device == nullptr || handles.device == nullptr || handles.queue == nullptr) {
    throw Error(Errc::invalid_argument, "a Vulkan device needs its physical device, device and queue (null handle)");
  }
#ifdef CONVOY_VULKAN_IS_BUILT
  return backend::vulkan::callers_device(handles);
#else
  throw Error(Errc::backend_unavailable,
              "this build of convoy has no backend vulkan; it has " + backend::known_names());
#endif
}

}  // namespace convoy::inline v0
