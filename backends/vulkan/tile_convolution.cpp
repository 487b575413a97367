#include "backends/vulkan/tile_convolution.hpp"

#include <glslang/Include/glslang_c_interface.h>

#include "backends/vkfft/prelude.hpp"
#include "backends/vulkan/glsl_compiler.hpp"
#include "backends/vulkan/spirv.hpp"

namespace convoy::backend::vulkan {

#include "backends/vkfft/include_vkfft.hpp"
#include "backends/vkfft/vkfft_app.hpp"
#include "backends/vkfft/vkfft_convolution.hpp"

namespace {

struct Handles : PlanningHandles {
  using Buffer = VkBuffer;
  using Target = VkCommandBuffer;

  explicit Handles(const PlanningHandles& given) : PlanningHandles(given) {}

  void configure(VkFFTConfiguration& configuration) {
    configuration.physicalDevice = &physical_device;
    configuration.device = &device;
    configuration.queue = &queue;
    configuration.commandPool = &command_pool;
    configuration.fence = &fence;
    if (pipeline_cache != VK_NULL_HANDLE) configuration.pipelineCache = &pipeline_cache;
    configuration.isCompilerInitialized = 1;
  }
  void aim(VkFFTLaunchParams& launch, Target& commands) const { launch.commandBuffer = &commands; }

  /// GLSL promises little of sin and cos.
  bool wants_tables = true;
};

class KernelTransformCommands final : public Transform {
 public:
  KernelTransformCommands(const Handles& handles, const FftGeometry& geometry, VkBuffer spectrum)
      : transform_(handles, geometry, spectrum) {}
  void append(VkCommandBuffer commands) override { transform_.append(commands); }

 private:
  KernelTransform<Handles> transform_;
};

class FusedCommands final : public Transform {
 public:
  FusedCommands(const Handles& handles, const FftGeometry& geometry, bool conjugate, const TileBuffers& buffers)
      : convolution_(handles, geometry, conjugate, buffers.image, buffers.work, buffers.spectrum) {}
  void append(VkCommandBuffer commands) override { convolution_.append(commands); }

 private:
  FusedConvolution<Handles> convolution_;
};

class StagedCommands final : public Transform {
 public:
  StagedCommands(const Handles& handles, const FftGeometry& geometry, const TileBuffers& buffers,
                 std::function<void(VkCommandBuffer)> append_multiply)
      : convolution_(handles, geometry, buffers.image, buffers.work), append_multiply_(std::move(append_multiply)) {}
  void append(VkCommandBuffer commands) override {
    convolution_.append_forward(commands);
    append_multiply_(commands);
    convolution_.append_inverse(commands);
  }
  void append_forward(VkCommandBuffer commands) override { convolution_.append_forward(commands); }
  void append_inverse(VkCommandBuffer commands) override { convolution_.append_inverse(commands); }

 private:
  StagedConvolution<Handles> convolution_;
  std::function<void(VkCommandBuffer)> append_multiply_;
};

}  // namespace

std::unique_ptr<Transform> make_kernel_transform(const PlanningHandles& handles, const FftGeometry& geometry,
                                                 VkBuffer spectrum) {
  start_glslang();
  return std::make_unique<KernelTransformCommands>(Handles(handles), geometry, spectrum);
}

std::unique_ptr<Transform> make_convolution(const PlanningHandles& handles, const FftGeometry& geometry, bool conjugate,
                                            const TileBuffers& buffers,
                                            std::function<void(VkCommandBuffer)> append_multiply) {
  start_glslang();
  if (geometry.path == Path::fused) {
    return std::make_unique<FusedCommands>(Handles(handles), geometry, conjugate, buffers);
  }
  return std::make_unique<StagedCommands>(Handles(handles), geometry, buffers, std::move(append_multiply));
}

}  // namespace convoy::backend::vulkan
