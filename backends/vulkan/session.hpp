// A program on a Vulkan device: its buffers, and one command buffer for setup and for every other section of every set.
#pragma once

#include <memory>
#include <vector>

#include "backends/vulkan/buffer.hpp"
#include "backends/vulkan/command_queue.hpp"
#include "backends/vulkan/device.hpp"
#include "backends/vulkan/tile_convolution.hpp"

namespace convoy::backend::vulkan {

class VulkanSession final : public Session {
 public:
  VulkanSession(std::shared_ptr<VulkanDevice> device, const Program& program, const LoadOptions& options);
  ~VulkanSession() override;

  std::byte* port(PortId port, int set) override;
  void submit(Section section, int set, int times) override;
  void run_on(std::uint64_t queue, const std::vector<ExternalMemory>& memory) override;
  void wait(int set) override;
  void end_setup() override;
  void check_sentinels() override;

 private:
  struct Set {
    OwnedFence fence;
    std::array<VkCommandBuffer, kSections.size()> sections{};  // setup: of set 0 only, until it ends
    bool in_flight = false;
  };
  struct PlannedConvolution {
    FftGeometry geometry;
    bool conjugate = false;
    TileBuffers buffers;
    std::unique_ptr<Transform> transform;
  };

  struct BoundKernel {
    const Kernel* kernel = nullptr;
    std::vector<SlotId> slots;
    int set = 0;
    VkDescriptorSet descriptors = VK_NULL_HANDLE;
    bool is_current = false;
  };
  struct ExternalBuffer {
    VkBuffer buffer = VK_NULL_HANDLE;
    std::uint64_t offset_bytes = 0;
    bool operator==(const ExternalBuffer&) const = default;
  };

  void load();
  void release() noexcept;
  void require_memory() const;
  void make_descriptors();
  void make_slots();
  void make_ports();
  void plan_transforms();
  void test_convolutions();
  void test_convolution(const Convolve& convolve, const TransformKernel& kernel);
  void record_sections();
  VkCommandBuffer record_section(Section section, int set);

  VkBuffer slot(SlotId slot, int set) const;
  PlanningHandles planning_handles() const;
  Transform& kernel_transform(const TransformKernel& step, int set);
  Transform& convolution(const Convolve& step, int set);
  VkDescriptorSet make_descriptor_set(const Kernel& kernel) const;
  /// Descriptors of one kernel with the same slots are shared.
  VkDescriptorSet bind(const Kernel& kernel, const std::vector<SlotId>& slots, int set);

  std::vector<ExternalBuffer> external_buffers(const std::vector<ExternalMemory>& memory) const;
  void record_external_run();
  void drain_external();

  void fill_contents();
  void fill_sentinels();

  void record(VkCommandBuffer commands, const Upload& step, int set);
  void record(VkCommandBuffer commands, const Download& step, int set);
  void record(VkCommandBuffer commands, const Clear& step, int set);
  void record(VkCommandBuffer commands, const Dispatch& step, int set);
  void record(VkCommandBuffer commands, const TransformKernel& step, int set);
  void record(VkCommandBuffer commands, const Convolve& step, int set);
  void record(VkCommandBuffer commands, const ConvolveDirect& step, int set);

  const std::string& id() const { return device_->info().id; }

  std::shared_ptr<VulkanDevice> device_;
  Program program_;
  LoadOptions options_;
  SessionMemory memory_;
  BufferMaker make_;
  CommandQueue queue_;
  OwnedDescriptorPool descriptors_;
  std::vector<std::vector<Buffer>> slots_;  // [slot][set, or 0 if all sets share it]
  std::vector<std::vector<Buffer>> ports_;  // [port][set, or 0 for setup]
  std::vector<std::shared_ptr<const Kernel>> kernels_;
  std::vector<PlannedConvolution> kernel_transforms_;
  std::vector<PlannedConvolution> convolutions_;
  std::vector<Set> sets_;
  std::vector<BoundKernel> bound_kernels_;
  std::vector<ExternalBuffer> external_;  // [slot], as recorded
  VkQueue external_queue_ = VK_NULL_HANDLE;
  bool external_in_flight_ = false;
};

}  // namespace convoy::backend::vulkan
