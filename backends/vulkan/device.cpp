#include "backends/vulkan/device.hpp"

#include <fmt/format.h>

#include <limits>

#include "backends/vulkan/session.hpp"
#include "base/host_memory.hpp"
#include "convoy/bytes_text.hpp"
#include "kernels/dialects.hpp"
#include "kernels/kernel_files.hpp"
#if defined(_WIN32)
#include "base/windows.hpp"
#else
#include <sys/resource.h>
#endif

namespace convoy::backend::vulkan {
namespace {

/// Mesa's software device compiles with LLVM, which ends the process where it is refused memory.
void require_room_for_compiler(const DeviceInfo& info) {
  constexpr std::uint64_t kRoomBytes = std::uint64_t{768} << 20;
  const std::uint64_t left = available_host_bytes();
  if (info.type != DeviceType::software || left >= kRoomBytes) return;
  throw Error(Errc::backend_unavailable,
              fmt::format("{} ({}) compiles within this process, which may take {} more; it needs {}: raise the limit "
                          "(ulimit -v, a control group), free memory or use the cpu",
                          info.id, info.name, bytes_to_text(left), bytes_to_text(kRoomBytes)));
}

#if defined(_WIN32)
double processor_seconds() {
  FILETIME started{}, ended{}, kernel{}, user{};
  ::GetProcessTimes(::GetCurrentProcess(), &started, &ended, &kernel, &user);
  const auto seconds = [](const FILETIME& time) {
    return 1e-7 * static_cast<double>((std::uint64_t{time.dwHighDateTime} << 32) | time.dwLowDateTime);
  };
  return seconds(kernel) + seconds(user);
}
#else
double processor_seconds() {
  struct rusage used {};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}
#endif

}  // namespace

VulkanDevice::VulkanDevice(PhysicalDevice physical) : physical_(std::move(physical)) {
  require_room_for_compiler(physical_.info);
  const float priority = 1;
  VkDeviceQueueCreateInfo queue{};
  queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
  queue.queueFamilyIndex = physical_.queue_family;
  queue.queueCount = 1;
  queue.pQueuePriorities = &priority;
  VkPhysicalDeviceFeatures features{};
  features.shaderFloat64 = physical_.has_f64 ? VK_TRUE : VK_FALSE;
  VkDeviceCreateInfo creation{};
  creation.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
  creation.queueCreateInfoCount = 1;
  creation.pQueueCreateInfos = &queue;
  creation.pEnabledFeatures = &features;
  const char* const subset = "VK_KHR_portability_subset";  // must be enabled where it is there
  if (physical_.is_portability_subset) {
    creation.enabledExtensionCount = 1;
    creation.ppEnabledExtensionNames = &subset;
  }
  const VkResult result = vkCreateDevice(physical_.handle, &creation, nullptr, &handle_);
  if (result != VK_SUCCESS) {
    throw Error(Errc::backend_unavailable, fmt::format("{} ({}) does not open: vkCreateDevice failed with {}",
                                                       physical_.info.id, physical_.info.name, to_text(result)));
  }
  vkGetDeviceQueue(handle_, physical_.queue_family, 0, &queue_);
  make_pipeline_cache();
}

VulkanDevice::VulkanDevice(PhysicalDevice physical, VkDevice handle, VkQueue queue)
    : physical_(std::move(physical)), handle_(handle), owns_handle_(false), queue_(queue) {
  make_pipeline_cache();
}

/// Without a cache pipelines are only made more slowly.
void VulkanDevice::make_pipeline_cache() {
  VkPipelineCacheCreateInfo cache_creation{};
  cache_creation.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO;
  VkPipelineCache cache = VK_NULL_HANDLE;
  if (vkCreatePipelineCache(handle_, &cache_creation, nullptr, &cache) == VK_SUCCESS)
    pipeline_cache_ = {handle_, cache};
}

VulkanDevice::~VulkanDevice() {
  kernels_.clear();
  pipeline_cache_ = {};
  if (owns_handle_ && !stands_still_) vkDestroyDevice(handle_, nullptr);
}

VkResult VulkanDevice::wait_for(VkFence fence) const {
  if (physical_.info.type != DeviceType::software) {
    return vkWaitForFences(handle_, 1, &fence, VK_TRUE, std::numeric_limits<std::uint64_t>::max());
  }
  constexpr std::uint64_t kNanosecondsAtATime = 5'000'000'000;
  constexpr double kLeastProcessorSeconds = 0.02;
  constexpr int kMostIdleTimes = 6;
  for (int idle_times = 0; idle_times < kMostIdleTimes && !stands_still_;) {
    const double before = processor_seconds();
    const VkResult result = vkWaitForFences(handle_, 1, &fence, VK_TRUE, kNanosecondsAtATime);
    if (result != VK_TIMEOUT) return result;
    idle_times = processor_seconds() - before < kLeastProcessorSeconds ? idle_times + 1 : 0;
  }
  stands_still_ = true;
  return VK_ERROR_DEVICE_LOST;
}

std::unique_ptr<Session> VulkanDevice::load(const Program& program, const LoadOptions& options) {
  return std::make_unique<VulkanSession>(shared_from_this(), program, options);
}

std::shared_ptr<const Kernel> VulkanDevice::kernel(const KernelSpec& spec, Precision precision) {
  const KernelSource source = kernel_source(to_glsl(spec, precision), spec, precision, physical_.info, "comp");
  const std::string key = source.key();
  const std::lock_guard lock(kernels_mutex_);
  if (const auto known = kernels_.find(key); known != kernels_.end()) {
    if (auto held = known->second.lock()) return held;
  }
  std::erase_if(kernels_, [](const auto& entry) { return entry.second.expired(); });
  auto made =
      std::make_shared<const Kernel>(make_kernel(handle_, pipeline_cache_.get(), physical_.info.id, spec, source));
  kernels_[key] = made;
  return made;
}

}  // namespace convoy::backend::vulkan
