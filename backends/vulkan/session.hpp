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

  void load();
  void give_back() noexcept;
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
  VkDescriptorSet bind(const Kernel& kernel, const std::vector<SlotId>& slots, int set);

  void fill_sentinels();

  void record(VkCommandBuffer commands, const Upload& step, int set);
  void record(VkCommandBuffer commands, const Download& step, int set);
  void record(VkCommandBuffer commands, const Clear& step, int set);
  void record(VkCommandBuffer commands, const Dispatch& step, int set);
  void record(VkCommandBuffer commands, const TransformKernel& step, int set);
  void record(VkCommandBuffer commands, const Convolve& step, int set);

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
  std::vector<PlannedConvolution> kernel_transforms_;
  std::vector<PlannedConvolution> convolutions_;
  std::vector<Set> sets_;
};

}  // namespace convoy::backend::vulkan
