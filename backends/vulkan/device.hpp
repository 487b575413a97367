// An open Vulkan device: one queue, the kernels compiled for it, and the count of memory that its sessions hold.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include "backends/backend.hpp"
#include "backends/gpu/memory_account.hpp"
#include "backends/vulkan/kernel.hpp"
#include "backends/vulkan/physical_device.hpp"

namespace convoy::backend::vulkan {

class VulkanDevice final : public Device, public std::enable_shared_from_this<VulkanDevice> {
 public:
  /// Throws Error(backend_unavailable) when the driver does not open it.
  explicit VulkanDevice(PhysicalDevice physical);
  /// One that the caller has opened, and closes after it.
  VulkanDevice(PhysicalDevice physical, VkDevice handle, VkQueue queue);
  ~VulkanDevice() override;
  VulkanDevice(const VulkanDevice&) = delete;
  VulkanDevice& operator=(const VulkanDevice&) = delete;

  const DeviceInfo& info() const override { return physical_.info; }
  bool handles_are_addresses() const override { return false; }
  Limits limits() const override { return query_limits(physical_); }
  std::uint64_t used_bytes() const override { return account_.used_bytes(); }
  std::uint64_t peak_bytes() const override { return account_.peak_bytes(); }
  void reset_peak() override { account_.reset_peak(); }
  std::unique_ptr<Memory> allocate(std::uint64_t bytes) override;
  std::unique_ptr<Session> load(const Program& program, const LoadOptions& options) override;

  const PhysicalDevice& physical() const { return physical_; }
  VkDevice handle() const { return handle_; }
  VkQueue queue() const { return queue_; }
  VkPipelineCache pipeline_cache() const { return pipeline_cache_.get(); }
  gpu::MemoryAccount& account() { return account_; }
  /// Blocks until the fence is signalled. A software device computes on threads of this process; where the driver could
  /// not start them, or lost them for want of memory, it would never be: once the process has stood still for half a
  /// minute the device counts as lost, and is left as it is.
  VkResult wait_for(VkFence fence) const;
  /// Compiled on first use.
  std::shared_ptr<const Kernel> kernel(const KernelSpec& spec, Precision precision);

 private:
  void make_pipeline_cache();

  PhysicalDevice physical_;
  VkDevice handle_ = VK_NULL_HANDLE;
  bool owns_handle_ = true;
  mutable std::atomic<bool> stands_still_{false};
  VkQueue queue_ = VK_NULL_HANDLE;
  gpu::MemoryAccount account_;
  OwnedPipelineCache pipeline_cache_;
  std::mutex kernels_mutex_;
  std::map<std::string, std::weak_ptr<const Kernel>> kernels_;  // by text; sessions hold them
};

}  // namespace convoy::backend::vulkan
