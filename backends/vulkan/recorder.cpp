#include "backends/vulkan/recorder.hpp"

#include <algorithm>

namespace convoy::backend::vulkan {
namespace {

void record_memory_barrier(VkCommandBuffer commands, VkPipelineStageFlags from, VkAccessFlags written,
                           VkPipelineStageFlags to, VkAccessFlags used) {
  VkMemoryBarrier barrier{};
  barrier.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
  barrier.srcAccessMask = written;
  barrier.dstAccessMask = used;
  vkCmdPipelineBarrier(commands, from, to, 0, 1, &barrier, 0, nullptr, 0, nullptr);
}

/// Chunks that touch on both sides are one.
std::vector<VkBufferCopy> copy_regions(const Transfer& step, bool to_slot) {
  const bool touching = step.chunk_bytes == step.slot_pitch_bytes;
  const std::uint64_t num_regions = touching ? std::min<std::uint64_t>(step.num_chunks, 1) : step.num_chunks;
  const std::uint64_t region_bytes = touching ? step.chunk_bytes * step.num_chunks : step.chunk_bytes;
  std::vector<VkBufferCopy> regions(static_cast<std::size_t>(num_regions));
  for (std::uint64_t i = 0; i < num_regions; ++i) {
    const std::uint64_t in_port = step.port_offset + i * region_bytes;
    const std::uint64_t in_slot = step.slot_offset + i * step.slot_pitch_bytes;
    regions[static_cast<std::size_t>(i)] = {to_slot ? in_port : in_slot, to_slot ? in_slot : in_port, region_bytes};
  }
  return regions;
}

void record_copy(VkCommandBuffer commands, const std::vector<VkBufferCopy>& regions, VkBuffer from, VkBuffer to) {
  constexpr std::size_t kMostRegions = 16384;  // a command that drivers are used to
  for (std::size_t first = 0; first < regions.size(); first += kMostRegions) {
    const std::size_t count = std::min(kMostRegions, regions.size() - first);
    vkCmdCopyBuffer(commands, from, to, static_cast<std::uint32_t>(count), regions.data() + first);
  }
}

}  // namespace

void record_barrier(VkCommandBuffer commands) {
  constexpr VkPipelineStageFlags kWorking = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
  record_memory_barrier(commands, kWorking, VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT, kWorking,
                        VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_READ_BIT |
                            VK_ACCESS_TRANSFER_WRITE_BIT);
}

void record_full_barrier(VkCommandBuffer commands) {
  record_memory_barrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, VK_ACCESS_MEMORY_WRITE_BIT,
                        VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT);
}

void record_host_barrier(VkCommandBuffer commands) {
  record_memory_barrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT,
                        VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
}

void record_upload(VkCommandBuffer commands, const Upload& step, VkBuffer port, VkBuffer slot) {
  record_copy(commands, copy_regions(step, true), port, slot);
}

void record_download(VkCommandBuffer commands, const Download& step, VkBuffer port, VkBuffer slot) {
  record_copy(commands, copy_regions(step, false), slot, port);
}

void record_dispatch(VkCommandBuffer commands, const Kernel& kernel, const KernelSpec& spec, VkDescriptorSet buffers,
                     const std::vector<KernelParameter>& parameters, const std::array<std::uint64_t, 3>& threads) {
  const auto groups = num_groups(spec, threads);
  vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.pipeline.get());
  vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.layout.get(), 0, 1, &buffers, 0, nullptr);
  static_assert(sizeof(KernelParameter) == 4);
  vkCmdPushConstants(commands, kernel.layout.get(), VK_SHADER_STAGE_COMPUTE_BIT, 0,
                     static_cast<std::uint32_t>(sizeof(KernelParameter) * parameters.size()), parameters.data());
  vkCmdDispatch(commands, static_cast<std::uint32_t>(groups[0]), static_cast<std::uint32_t>(groups[1]),
                static_cast<std::uint32_t>(groups[2]));
}

namespace {

/// Threads over a whole spectrum.
struct SpectrumGrid {
  explicit SpectrumGrid(const FftGeometry& geometry)
      : count(geometry.spectrum_bytes() / (2 * geometry.real_bytes())), row(std::min<std::uint64_t>(count, 1 << 16)) {}
  std::uint64_t count;
  std::uint64_t row;
  std::array<std::uint64_t, 3> threads() const { return {row, (count + row - 1) / row, 1}; }
  std::vector<KernelParameter> parameters() const {
    return {parameter(static_cast<std::uint32_t>(count)), parameter(static_cast<std::uint32_t>(row))};
  }
};

}  // namespace

Dispatch multiply_step(const Convolve& step) {
  const SpectrumGrid grid(step.geometry);
  Dispatch dispatch{.kernel = &kernels::multiply_spectrum,
                    .precision = step.geometry.precision,
                    .slots = {step.spectrum, step.work},
                    .parameters = grid.parameters(),
                    .threads = grid.threads()};
  dispatch.parameters.push_back(parameter(1.0f));
  dispatch.parameters.push_back(parameter(step.conjugate ? -1.0f : 1.0f));
  return dispatch;
}

Dispatch product_step(const Convolve& step) {
  const SpectrumGrid grid(step.geometry);
  Dispatch dispatch{.kernel = &kernels::add_product,
                    .precision = step.geometry.precision,
                    .slots = {step.spectrum, step.work, step.product},
                    .parameters = grid.parameters(),
                    .threads = grid.threads()};
  dispatch.parameters.push_back(parameter(step.conjugate ? -1.0f : 1.0f));
  dispatch.parameters.push_back(parameter(std::uint32_t{step.adds ? 1u : 0u}));
  return dispatch;
}

}  // namespace convoy::backend::vulkan
