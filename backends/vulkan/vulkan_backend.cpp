// Vulkan: any GPU with a driver for it, and Mesa's software device for tests.
#include <fmt/format.h>

#include <map>
#include <mutex>

#include "backends/backend.hpp"
#include "backends/vulkan/device.hpp"

namespace convoy::backend {
namespace vulkan {
namespace {

class VulkanBackend final : public Backend {
 public:
  const char* name() const override { return "vulkan"; }

  BackendInfo probe() override {
    BackendInfo info{name(), loader().why_not, {}};
    if (!info.unavailable_because.empty()) return info;
    for (const PhysicalDevice& device : find_physical_devices(loader().instance)) info.devices.push_back(device.info);
    if (info.devices.empty()) {
      info.unavailable_because = "the Vulkan loader is present, but it knows 0 devices that compute with Vulkan 1.1";
    }
    return info;
  }

  std::shared_ptr<Device> open(int index) override {
    if (!loader().why_not.empty()) throw Error(Errc::backend_unavailable, loader().why_not);
    const std::lock_guard lock(mutex_);
    if (auto open_already = open_[index].lock()) return open_already;
    auto devices = find_physical_devices(loader().instance);
    if (index < 0 || index >= static_cast<int>(devices.size())) {
      throw Error(Errc::backend_unavailable,
                  fmt::format("vulkan:{} does not exist: Vulkan has {} devices here", index, devices.size()));
    }
    auto device = std::make_shared<VulkanDevice>(std::move(devices[static_cast<std::size_t>(index)]));
    open_[index] = device;
    return device;
  }

 private:
  std::mutex mutex_;
  std::map<int, std::weak_ptr<VulkanDevice>> open_;  // devices are shared, so that their memory is counted once
};

}  // namespace
}  // namespace vulkan

Backend& vulkan_backend() {
  static vulkan::VulkanBackend backend;
  return backend;
}

}  // namespace convoy::backend
