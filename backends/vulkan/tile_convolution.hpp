// The convolution of a tile, as commands. The one unit behind it includes VkFFT.
#pragma once

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "backends/vulkan/vulkan_api.hpp"
#include "program/program.hpp"

namespace convoy::backend::vulkan {

/// What VkFFT plans with. The fence must be unsignalled; planning submits copies of tables and waits for them.
struct PlanningHandles {
  VkPhysicalDevice physical_device = VK_NULL_HANDLE;
  VkDevice device = VK_NULL_HANDLE;
  VkQueue queue = VK_NULL_HANDLE;
  VkCommandPool command_pool = VK_NULL_HANDLE;
  VkFence fence = VK_NULL_HANDLE;
  VkPipelineCache pipeline_cache = VK_NULL_HANDLE;
  std::uint64_t coalesced_bytes = 0;
  std::string identity;  ///< for the plan cache
};

struct TileBuffers {
  VkBuffer image = VK_NULL_HANDLE;
  VkBuffer work = VK_NULL_HANDLE;
  VkBuffer spectrum = VK_NULL_HANDLE;

  bool operator==(const TileBuffers&) const = default;
};

/// Bound to its buffers for life.
class Transform {
 public:
  virtual ~Transform() = default;
  /// Appends commands. The caller sets barriers before and after.
  virtual void append(VkCommandBuffer commands) = 0;
  /// Of staged convolutions, image to work and back; plans for several kernels have no other.
  virtual void append_forward(VkCommandBuffer) { throw std::logic_error("this convolution has no parts"); }
  virtual void append_inverse(VkCommandBuffer) { throw std::logic_error("this convolution has no parts"); }
};

std::unique_ptr<Transform> make_kernel_transform(const PlanningHandles& handles, const FftGeometry& geometry,
                                                 VkBuffer spectrum);

/// `append_multiply` appends work *= spectrum with barriers before and after; only the staged path asks for it.
std::unique_ptr<Transform> make_convolution(const PlanningHandles& handles, const FftGeometry& geometry, bool conjugate,
                                            const TileBuffers& buffers,
                                            std::function<void(VkCommandBuffer)> append_multiply);

}  // namespace convoy::backend::vulkan
