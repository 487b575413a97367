// Steps of a program as commands.
#pragma once

#include <vector>

#include "backends/vulkan/kernel.hpp"
#include "program/program.hpp"

namespace convoy::backend::vulkan {

/// All that was queued before is done and seen before what follows starts, in this and earlier submits.
void record_barrier(VkCommandBuffer commands);
/// The same between convoy's commands and all others of the queue, of whatever kind.
void record_full_barrier(VkCommandBuffer commands);
/// The host sees what was copied, once the fence has signalled.
void record_host_barrier(VkCommandBuffer commands);
void record_upload(VkCommandBuffer commands, const Upload& step, VkBuffer port, VkBuffer slot);
void record_download(VkCommandBuffer commands, const Download& step, VkBuffer port, VkBuffer slot);
void record_dispatch(VkCommandBuffer commands, const Kernel& kernel, const KernelSpec& spec, VkDescriptorSet buffers,
                     const std::vector<KernelParameter>& parameters, const std::array<std::uint64_t, 3>& threads);

/// The staged convolution's product over a whole spectrum slot, without scaling.
Dispatch multiply_step(const Convolve& step);
/// Of Convolve::Part::product: likewise, into its product slot.
Dispatch product_step(const Convolve& step);

}  // namespace convoy::backend::vulkan
