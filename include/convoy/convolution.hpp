// Convolution of an image with a kernel (PSF) on any device, whatever their sizes.
//
//   full[i] = sum over j of image[j] * kernel[i - j],  0 <= i < n + k - 1     (per axis; the discrete linear
//   convolution)
//
// All modes are windows of it; scipy.signal.fftconvolve is the reference for full, same and valid.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "convoy/device.hpp"
#include "convoy/device_share.hpp"
#include "convoy/export.h"
#include "convoy/image.hpp"
#include "convoy/plan.hpp"
#include "convoy/shape.hpp"
#include "convoy/spec.hpp"
#include "convoy/stream.hpp"

namespace convoy::inline v0 {

/// The plan that a Convolver on this device begins with. Tune::measure runs the candidates unless wisdom knows the
/// fastest: that takes some seconds, and spares every later Convolver of this problem the measuring. Blocks; throws
/// what the other make_plan() throws, and Error(device_lost).
CONVOY_API Plan make_plan(const ConvolutionSpec& spec, Device device, const PlanOptions& options = {});

/// Where a run stands. Tiles are equal pieces of work.
struct Progress {
  Index tiles_done = 0;
  Index num_tiles = 0;
  double elapsed_seconds = 0;
  /// Of the tile that is being computed, from 0 to 1, roughly; 0 in the call after a tile, and on several devices.
  double part_of_next_tile = 0;

  /// Of the run, from 0 to 1.
  double fraction() const {
    return num_tiles > 0 ? (static_cast<double>(tiles_done) + part_of_next_tile) / static_cast<double>(num_tiles) : 1;
  }
};

struct ConvolverOptions {
  PlanOptions plan;
  /// Called after every tile, and on the CPU also within long ones, about ten times a second; on the calling thread.
  /// Returning false stops the run with Error(cancelled).
  std::function<bool(const Progress&)> progress;
  /// Called after every step that may change it with the device bytes that convoy then holds, down to 0 at the end.
  std::function<void(const std::string& step, std::uint64_t used_bytes)> trace_memory;
  /// Fills device memory with NaN before use and puts guard bytes behind every slot; run() then throws on a breach.
  /// Slow; for tests. CONVOY_SENTINELS=1 switches it on everywhere, 0 off.
  bool sentinels = false;
  /// Fills in RunReport::input_sum and output_sum. They come with the copies of a run, but where page-locked memory is
  /// used in place the host reads it for them alone, and competes with the bus for the host's memory.
  bool sums = false;
  /// Asked to stop, constructor and runs end with Error(cancelled): on the CPU within a tile, on other devices before
  /// the next step of the host. What a GPU has begun it finishes.
  std::stop_token stop;
  /// Of Pairing::sum: as many images of shape weights_shape(spec) as there are kernels, one behind the other, of any
  /// element. They lie in host memory, are copied before the constructor returns, and may then go.
  std::optional<ImageView> weights = {};
};

/// Of one run of a Convolver.
struct RunOptions {
  std::function<bool(const Progress&)> progress;  ///< in place of ConvolverOptions::progress
  std::stop_token stop;                           ///< beside ConvolverOptions::stop
};

/// What a run did, beyond its output.
struct CONVOY_API RunReport {
  double elapsed_seconds = 0;
  std::vector<DeviceShare> devices;  ///< in the order in which they were given
  Index num_tiles = 0;
  Index skipped_tiles = 0;  ///< those that the ImageWriter held already; the sums below are without them
  std::uint64_t peak_device_bytes = 0;
  double kernel_factor = 1;  ///< what the kernel was multiplied with: 1 over its sum with spec.normalize_kernel;
                             ///< of several the first one's
  std::vector<double> kernel_factors;  ///< the same of every kernel
  Index non_finite_voxels = 0;         ///< NaN and infinite input voxels that were replaced or missing (NonFinite)
  Index nan_voxels = 0;        ///< output voxels that are NaN (0 in integer outputs): those of preserve_nan, those that
                               ///< nothing is known of (NonFinite::interpolate) or that see a constant of NaN; the sums
                               ///< below are without them
  Index no_data_voxels = 0;    ///< input voxels that equal ConvolutionSpec::no_data and were taken as 0
  Index inexact_voxels = 0;    ///< input voxels beyond 2^24 in magnitude that single precision arithmetic rounds
  Index saturated_voxels = 0;  ///< output voxels clipped to the range of an integer output, or infinite in f32
                               ///< because arithmetic in f64 gave more than that holds
  double input_sum = 0;        ///< flux in: sum over the image as read, in double precision, of complex images over
                               ///< their real part; NaN without ConvolverOptions::sums
  double output_sum = 0;       ///< flux out: sum over the output before rounding, in double precision; likewise
  /// Of the image as read; NaN while no voxel was looked at. Likewise.
  double lowest_voxel = std::numeric_limits<double>::quiet_NaN();
  double highest_voxel = std::numeric_limits<double>::quiet_NaN();
  /// The largest magnitude of a tile's voxels over the typical one there (that of most pieces of rows; where zeros are
  /// alone does not count), of the tile where that is most. Likewise.
  double dynamic_range = 0;
  /// The error to expect anywhere in a tile that holds the largest voxel, from rounding in the transforms, whatever the
  /// output is there: 16 u times the largest magnitude times the sum of the kernel's magnitudes, u = 2^-24 or 2^-53. A
  /// voxel much larger than the others spoils them by that much. Likewise.
  double rounding_error = 0;

  /// Takes in what another run of the same Convolver did, beside or after this one.
  void add(const RunReport& other);
};

/// A kernel made ready on a device or several: plan, compiled code and spectrum, for any number of images of one shape.
/// Where the kernel is so large that tiles with their halos do not fit the device, are longer than it transforms, or
/// are predicted to take longer, the transform is split in place of the image (decimation in frequency; Karas and
/// Svoboda 2011), with image and sums in host memory; the convolutions of its parts then are the tiles of Progress and
/// RunReport, and devices share them as they share tiles. PlanOptions::tune off prefers tiles. Not for use by
/// two threads at once; make one Convolver per thread (they may share a Device).
class CONVOY_API Convolver {
 public:
  /// Plans, allocates, compiles and transforms the kernel. Blocks. `kernel` is read before this returns and may then
  /// go. When the device turns out to have less memory than it said, plans again for less, a few times. Throws
  /// Error(invalid_argument) if spec and kernel disagree, the kernel holds NaN or infinity or is beyond the
  /// arithmetic's numbers, or its sum is 0 and spec.normalize_kernel is set; OutOfMemory if neither the smallest tiling
  /// nor any split of the transform fits; Error(backend_unavailable), Error(unsupported), Error(device_lost) or
  /// Error(compile_failed) as the device answers.
  /// With several kernels (ConvolutionSpec::num_kernels) `kernel` is a batch of them, all of their spectra are held,
  /// and the transform is never split.
  Convolver(const ConvolutionSpec& spec, const ImageView& kernel, Device device, const ConvolverOptions& options = {});
  /// The same on several devices, of whatever kinds, that share each run's tiles: whichever is free takes the next, and
  /// a slow one none that the others will have done sooner. All cut the output into the same tiles, small enough for
  /// each of them. A device that cannot take part, or that fails or runs out of memory in a run, is left out from then
  /// on and gives its memory back; the others do its tiles, and RunReport::devices says why. When none is left, throws
  /// OutOfMemory or Error with the causes of all. Throws Error(invalid_argument) for no devices. Each device counts on
  /// its part of PlanOptions::host_memory_limit_bytes.
  Convolver(const ConvolutionSpec& spec, const ImageView& kernel, const std::vector<Device>& devices,
            const ConvolverOptions& options = {});
  ~Convolver();
  Convolver(Convolver&&) noexcept;
  Convolver& operator=(Convolver&&) noexcept;

  /// Of several devices, the first one's that could take part: paths and padding of others may differ, tiles do not.
  const Plan& plan() const;
  Shape output_shape() const;

  /// Complex images (c64, c128) and kernels: the output must be complex, in either precision, if one of them is, and
  /// is refused if none is. An image's real and imaginary part are convolved as two images; with a complex kernel that
  /// is done twice, with memory for one part of the output beside it, and on the device for either part of the kernel.
  /// NonFinite::zero takes parts as 0, not voxels; of the report, voxels are counted part by part.
  /// Throws Error(unsupported) for NonFinite::interpolate, preserve_nan and no_data there.
  ///
  /// Convolves num_images(spec) images of shape spec.image, one behind the other (ImageView::batch), into `output` of
  /// shape output_shape() and num_outputs(spec) of them. Tiles of all images follow each other, so that transfers of
  /// one image run beside the work on another; devices share them. Blocks until the output is written. Integer outputs
  /// are rounded to nearest (ties to even) and clipped; f16 is rounded likewise, and infinite from 65520 on. The image
  /// is not changed; output must not overlap it. Throws Error(invalid_argument) on wrong shapes or, with
  /// NonFinite::error, NaN or infinite voxels; Error(cancelled); Error(device_lost). After a throw the output's
  /// contents are unspecified, and the Convolver can be used again unless the device was lost.
  ///
  /// Finite voxels never give NaN or infinity in silence: those that are so large that sums in the transforms could
  /// overflow (magnitudes beyond m / (8 N max(1, k)), m the largest number of the arithmetic, N the voxels of a padded
  /// tile, k the sum of the kernel's magnitudes) throw Error(invalid_argument) with their number, the first's position
  /// and the remedies; results that the output's type does not hold are counted in saturated_voxels. Without
  /// ConvolverOptions::sums, page-locked memory that is used in place is looked at only when an output is not finite.
  RunReport run(const ImageView& image, const MutableImageView& output, const RunOptions& options = {});

  /// The same for images that need not be in memory: reads the boxes that each tile needs, on threads of its own and
  /// ahead of the device, and writes each tile's output when it is there. Tiles that the writer holds already are left
  /// out. Plan for this with PlanOptions::streaming, so that the boxes count as host memory and tiles follow the files'
  /// chunks. Where voxels of the adjoint are folded back (correlate with reflect, mirror or nearest), the sums of the
  /// whole image are in memory until the end. Throws what reader and writer throw, too; non-finite voxels may be
  /// counted up to the first tile that holds some. After a throw some boxes may have been written.
  RunReport run(const ImageReader& image, ImageWriter& output, const RunOptions& options = {});
  /// The same for any number of images, each into the output at its place: their tiles follow each other, so that the
  /// first of an image are read and computed while the last of the one before are still being written. All are of one
  /// shape and one element, and so are the outputs. Where one image at a time is in memory as a whole (splits of the
  /// transform, and outputs that are folded back), they are done one after the other. The report is of all.
  /// With several kernels, as many images and outputs as ConvolutionSpec::pairing says, or a multiple of both: those of
  /// one image of the spec's batch follow each other, of Pairing::each those of all kernels. A tile is left out when
  /// all writers that it is of hold it.
  RunReport run(const ImageReaders& images, const ImageWriters& outputs, const RunOptions& options = {});

 private:
  struct State;
  static std::unique_ptr<State> make_state(const ConvolutionSpec& spec, const ImageView& kernel,
                                           const std::vector<Device>& devices, const ConvolverOptions& options);
  std::unique_ptr<State> state_;
};

/// One convolution, start to end, of voxels of any element. The output has the shape that output_shape(spec) returns,
/// and voxels of spec.precision: f32 or f64, or c64 or c128 if image or kernel are complex. spec.image and spec.kernel
/// are set by the views. Blocks; throws what Convolver throws, and OutOfMemory if the machine has no room for the
/// output.
CONVOY_API Image convolve(const ImageView& image, const ImageView& kernel, ConvolutionSpec spec = {},
                          Device device = open_device());

}  // namespace convoy::inline v0
