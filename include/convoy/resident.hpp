// Convolution of images that already lie in a device's memory: nothing is copied over the bus, nothing waits.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "convoy/deconvolution.hpp"
#include "convoy/device.hpp"
#include "convoy/export.h"
#include "convoy/image.hpp"
#include "convoy/plan.hpp"
#include "convoy/spec.hpp"

namespace convoy::inline v0 {

/// An array in a device's memory: shape z, y, x. Nothing here owns it.
struct DeviceArray {
  /// CUDA, HIP: the address (CUdeviceptr, or the pointer of the runtime API); CPU: the pointer; Vulkan: the VkBuffer,
  /// made with VK_BUFFER_USAGE_STORAGE_BUFFER_BIT and VK_BUFFER_USAGE_TRANSFER_DST_BIT.
  std::uint64_t handle = 0;
  Element element = Element::f32;
  Shape shape;
  std::uint64_t offset_bytes = 0;  ///< of voxel 0,0,0 of the first image; Vulkan: the lowest byte of the array is at a
                                   ///< multiple of minStorageBufferOffsetAlignment
  Index batch = 1;                 ///< images of this shape
  /// In bytes, as those of an ImageView (image.hpp): of any sign, multiples of the element's size, of complex ones of a
  /// part's. Dense, if there are none.
  std::optional<Strides> strides = {};

  DeviceArray() = default;
  DeviceArray(std::uint64_t memory, Element kind, const Shape& extents)
      : handle(memory), element(kind), shape(extents) {}
  DeviceArray(const void* address, Element kind, const Shape& extents)
      : DeviceArray(reinterpret_cast<std::uintptr_t>(address), kind, extents) {}
};

/// Where the work is queued: a CUstream (the same as a cudaStream_t), a hipStream_t or a VkQueue. 0 is the API's
/// default stream, or the queue that open_vulkan_device was given. The CPU has none.
struct DeviceStream {
  std::uint64_t handle = 0;

  DeviceStream() = default;
  explicit DeviceStream(const void* stream) : handle(reinterpret_cast<std::uintptr_t>(stream)) {}
};

struct ResidentOptions {
  PlanOptions plan;  ///< `resident` is set
  Element image = Element::f32;
  Element output = Element::f32;
  /// DeviceArray::strides of every run; no two voxels of the output may overlap.
  std::optional<Strides> image_strides = {};
  std::optional<Strides> output_strides = {};
  /// As in ConvolverOptions.
  std::function<void(const std::string& step, std::uint64_t used_bytes)> trace_memory;
  bool sentinels = false;
  /// As in ConvolverOptions: in host memory; they are copied to the device.
  std::optional<ImageView> weights = {};
};

/// A kernel made ready on a device, for any number of images of one shape that lie there.
///
/// The device must be the one that holds the arrays: CUDA and HIP devices use the primary context, which is that of the
/// runtime API, CuPy and PyTorch; a Vulkan device comes from open_vulkan_device. Besides the caller's arrays the plan's
/// footprint is held. Not for use by two threads at once.
class CONVOY_API ResidentConvolver {
 public:
  /// Plans, allocates, compiles and prepares the kernel (by the plan's method), as Convolver does; `kernel` lies in
  /// host memory, is read before this returns and may then go. Blocks. Complex images (c64, c128) have complex outputs;
  /// real images have them with a complex kernel. Throws what Convolver throws, and Error(unsupported) for spec.no_data
  /// and a constant of NaN, for complex images with a complex kernel or several, for a complex kernel on Vulkan, for
  /// images or outputs that reach over more than 2^32 - 1 numbers, and for the adjoint of boundaries that show voxels
  /// several times (reflect, mirror, nearest) unless the output's element is that of spec.precision.
  ResidentConvolver(const ConvolutionSpec& spec, const ImageView& kernel, Device device,
                    const ResidentOptions& options = {});
  /// Waits for what is queued.
  ~ResidentConvolver();
  ResidentConvolver(ResidentConvolver&&) noexcept;
  ResidentConvolver& operator=(ResidentConvolver&&) noexcept;

  const Plan& plan() const;
  Shape output_shape() const;

  /// Queues the convolution of `image` (num_images(spec) of shape spec.image) into `output` (num_outputs(spec) of
  /// output_shape()) and returns without waiting: it
  /// starts after all that the stream holds already, and what the stream is given later starts after it. The arrays
  /// must stay until then. The image is not changed; output must not overlap it. Integer outputs are rounded to nearest
  /// (ties to even) and clipped. Voxels are not looked at first: with NonFinite::error NaN and infinity are convolved
  /// as they are, with NonFinite::zero they are taken as 0; sums of voxels beyond 1e38 / N, N the voxels of a padded
  /// tile, may overflow, which makes a whole tile NaN (a Convolver refuses such voxels). On the CPU this blocks until
  /// the output is written.
  ///
  /// CUDA, HIP: the stream must belong to the primary context of the device; the work runs in a stream of convoy's own
  /// between two events. Vulkan: the work is submitted to the queue, behind and before a barrier for all memory; other
  /// arrays than last time block until that run is done. Meanwhile no other thread may use the queue.
  ///
  /// Throws Error(invalid_argument) for wrong shapes, elements, null handles or overlaps; Error(device_lost).
  void run(const DeviceArray& image, const DeviceArray& output, DeviceStream stream = {});

  /// Blocks until all runs are done. Throws Error(device_lost), also for a breach found by sentinels.
  void wait();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A PSF made ready for images that lie on the device, as ResidentConvolver does for kernels.
class CONVOY_API ResidentDeconvolver {
 public:
  /// Plans, allocates, compiles and transforms the PSF, as Deconvolver does, for one image as a whole. Blocks. Each of
  /// several PSFs (DeconvolutionSpec::num_psfs) has the plan's footprint for itself, and an equal part of
  /// PlanOptions::memory_limit_bytes. Throws what Deconvolver throws; OutOfMemory when the whole does not fit beside
  /// the arrays, and Error(unsupported) for Compatibility::skimage, anything to stop at but iterations, a background to
  /// be estimated, more iterations than 100000, complex voxels, and images that reach over more than 2^32 - 1 voxels:
  /// those are for a Deconvolver.
  ResidentDeconvolver(const DeconvolutionSpec& spec, const ImageView& psf, Device device,
                      const ResidentOptions& options = {});
  /// Waits for what is queued.
  ~ResidentDeconvolver();
  ResidentDeconvolver(ResidentDeconvolver&&) noexcept;
  ResidentDeconvolver& operator=(ResidentDeconvolver&&) noexcept;

  const DeconvolutionPlan& plan() const;  ///< for the first PSF
  const PsfReport& psf(Index number = 0) const;

  /// Queues the restoration of `image` into `output`, each a batch of any multiple of spec.num_psfs images of shape
  /// spec.image (image i has PSF i modulo their number), and returns without waiting: all iterations, and all that is
  /// found out about the data, are the device's business.
  /// Order of work, streams, outputs and arrays are as ResidentConvolver::run says. The result is that of a Deconvolver
  /// but for rounding. Voxels that are NaN, infinite or saturated are missing, whatever spec.non_finite says; an image
  /// without any data gives zeros. The image is read in the arithmetic's precision, in which the sum of its voxels must
  /// be finite. An output of f16 is infinite from 65520 on. Throws what ResidentConvolver::run throws.
  void run(const DeviceArray& image, const DeviceArray& output, DeviceStream stream = {});

  /// Blocks until all runs are done. Throws Error(device_lost), also for a breach found by sentinels.
  void wait();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A Vulkan device that the caller has opened. The handles are those of vulkan.h, of the loader that convoy uses too
/// (libvulkan.so.1, or CONVOY_VULKAN_LIBRARY), and must outlive everything made on the device.
struct VulkanHandles {
  void* physical_device = nullptr;  ///< VkPhysicalDevice, Vulkan 1.1 or later
  void* device = nullptr;  ///< VkDevice; shaderFloat64 enabled for f64, 8- or 16-bit storage for voxels of so many
  void* queue = nullptr;   ///< VkQueue that computes; convoy uses it while loading and running
  std::uint32_t queue_family = 0;
};

/// A device for ResidentConvolver (any convolver works). Throws Error(backend_unavailable) when this build has no
/// Vulkan or no loader is found, Error(invalid_argument) for null handles, Error(unsupported) for a device or queue
/// that cannot compute.
CONVOY_API Device open_vulkan_device(const VulkanHandles& handles);

}  // namespace convoy::inline v0
