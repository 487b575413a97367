// Deconvolution: an image that was blurred by a known kernel (PSF), restored on any device. What is computed stands in
// convoy/deconvolution_spec.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "convoy/deconvolution_spec.hpp"
#include "convoy/device.hpp"
#include "convoy/device_share.hpp"
#include "convoy/export.h"
#include "convoy/image.hpp"
#include "convoy/plan.hpp"
#include "convoy/shape.hpp"
#include "convoy/stream.hpp"

namespace convoy::inline v0 {

/// One axis of the frame on which the unknown lives. Positions in the frame.
struct FrameAxis {
  Index frame = 1;         ///< voxels of the unknown
  Index window_begin = 0;  ///< of the observed data
  Index window = 1;
  Index image_begin = 0;  ///< of the image; the window's, or with Edges::reflect inside it
  Index image = 1;
  Index correction_shift = 0;  ///< voxels by which scikit-image displaces its second convolution: 1 for even PSFs
};

/// Fast tiles, all of one size: cores side by side make up the region, and each tile is its core with the halo, moved
/// into the image where it would reach beyond.
struct FastTiling {
  Shape tile;
  Shape core;
  Shape halo;
  Shape counts;          ///< tiles along each axis
  Shape begin{0, 0, 0};  ///< where the first core begins, in the image; at the region's begin or before
  Box region;            ///< what they restore: the spec's, or the image

  Index num_tiles() const { return counts.z * counts.y * counts.x; }
};

/// How a deconvolution lies on a device, as a value.
struct DeconvolutionPlan {
  DeconvolutionSpec spec;
  std::array<FrameAxis, 3> axes;  ///< z, y, x
  Plan convolution;  ///< of the frame with the PSF: in one tile, which the program keeps on the device, or in several
  std::optional<Plan> adjoint;  ///< its adjoint, when there are several exact tiles
  /// When there are several fast tiles; then axes, convolution and ledger are those of one.
  std::optional<FastTiling> fast;
  std::vector<LedgerLine> ledger;
  std::uint64_t footprint_bytes = 0;  ///< sum of the ledger
  std::uint64_t budget_bytes = 0;     ///< what it had to fit
  /// Host memory: of exact tiles the arrays between them and what blur and adjoint hold, on all devices; with
  /// PlanOptions::streaming all that a run takes, of fast tiles and whole images on each device.
  std::vector<LedgerLine> host_ledger;
  std::uint64_t host_bytes = 0;            ///< sum of the host's ledger
  bool in_scratch = false;                 ///< exact tiles' arrays lie in a file (PlanOptions::scratch)
  std::vector<LedgerLine> scratch_ledger;  ///< of that file
  std::uint64_t scratch_bytes = 0;         ///< sum of the scratch ledger
  double predicted_seconds = 0;     ///< of one iteration, from the device's expected rates; 0 when they are unknown
  std::uint64_t traffic_bytes = 0;  ///< device memory traffic of one iteration
  double psf_sum = 1;               ///< of the PSF as used: 1, or what the Deconvolver found with normalize_psf off
  double psf_reach = 1;  ///< part of it that light can take within the image, with Edges::zero; the Deconvolver's, too
  std::vector<std::string> reasons;

  bool is_tiled() const { return adjoint.has_value(); }  ///< exactly
  Shape frame() const { return {axes[0].frame, axes[1].frame, axes[2].frame}; }
};

/// Chooses frame, padding and axis order of least predicted cost that fit; when the whole does not fit, or for
/// PlanOptions::min_tiles above 1, tiles. PlanOptions::tile_output is what the cores of fast tiles are, with the first
/// at the image's begin. With PlanOptions::streaming, what does not fit host_memory_limit_bytes goes
/// in fast tiles from disk to disk, where the spec allows them. Deterministic, pure. Tune::measure is taken for model;
/// PlanOptions::choice is not looked at. Throws Error(invalid_argument) as validate() does and for Origin::Rule::peak;
/// OutOfMemory when not even the smallest tiles fit, or when Wiener's filter, which has no tiles, does not;
/// Error(unsupported) when an extent cannot be transformed at all on this device, or the device has no double precision
/// and the spec asks for it.
CONVOY_API DeconvolutionPlan make_plan(const DeconvolutionSpec& spec, const Limits& limits,
                                       const PlanOptions& options = {});

/// The plan that a Deconvolver on these devices begins with: of the first that can take part. Blocks while the devices
/// are asked for their memory. Throws what the other make_plan() throws when no device can take part, and
/// Error(invalid_argument) for no devices.
CONVOY_API DeconvolutionPlan make_plan(const DeconvolutionSpec& spec, const std::vector<Device>& devices,
                                       const PlanOptions& options = {});

/// Cuts what a plan restores in fast tiles into so many boxes of whole cores, for jobs that each restore one as their
/// DeconvolutionSpec::region, with FastTiling::core as PlanOptions::tile_output. In z, y, x order. Throws
/// Error(invalid_argument) for plans without fast tiles and for numbers that no grid of boxes has.
CONVOY_API std::vector<Box> split_output(const DeconvolutionPlan& plan, Index num_regions);

/// For people: frame, padding, ledgers line by line, prediction, reasons.
CONVOY_API std::string to_text(const DeconvolutionPlan& plan);
/// One JSON object, as that of a Plan: what both have is called alike, "kind" says which it is, and "convolution" and
/// "adjoint" (or null) are Plans. Seconds and traffic are those of one iteration.
CONVOY_API std::string to_json(const DeconvolutionPlan& plan);

/// What is known after an iteration.
struct IterationSums {
  Index iteration = 0;  ///< 0: the start
  /// I-divergence, sum of m - d + d log(d / m) over the data, m = H e + b: falls as the likelihood rises. 0 when they
  /// agree.
  double divergence = 0;
  double modelled_flux = 0;  ///< sum of H e + b over the data; equals the data's sum once iterated, when b is 0
  /// sum |e - previous e| / sum e; NaN at the start.
  double relative_change = std::numeric_limits<double>::quiet_NaN();
};

struct DeconvolutionProgress {
  Index iterations_done = 0;  ///< of all fast tiles together
  Index num_iterations = 0;   ///< at most
  double relative_change = 0;
  double elapsed_seconds = 0;

  /// Of the run, from 0 to 1.
  double fraction() const {
    return num_iterations > 0 ? static_cast<double>(iterations_done) / static_cast<double>(num_iterations) : 1;
  }
};

struct DeconvolverOptions {
  PlanOptions plan;
  /// Called now and then, on the calling thread, between iterations and after the last; returning false stops with
  /// Error(cancelled).
  std::function<bool(const DeconvolutionProgress&)> progress;
  /// Called after every step that may change it with the device bytes that convoy then holds, down to 0 at the end.
  std::function<void(const std::string& step, std::uint64_t used_bytes)> trace_memory;
  bool curve = false;  ///< sums of every iteration in the report; costs a few passes over memory each
  /// As in ConvolverOptions; for tests.
  bool sentinels = false;
  /// As in ConvolverOptions: on the CPU within an iteration, on other devices between those that are sums' or progress'
  /// turn.
  std::stop_token stop;
};

/// Of one run of a Deconvolver.
struct DeconvolverRunOptions {
  std::function<bool(const DeconvolutionProgress&)> progress;  ///< in place of DeconvolverOptions::progress
  std::stop_token stop;                                        ///< beside DeconvolverOptions::stop
};

enum class StopReason { iterations, relative_change, gradient_consensus, discrepancy };
CONVOY_API const char* name(StopReason reason);

/// How far neighbouring fast tiles disagree about the voxels next to the seams between their cores, which both
/// restored.
struct SeamError {
  Index voxels = 0;               ///< compared
  double relative_l2 = 0;         ///< Euclidean norm of the differences over that of the values
  double largest_difference = 0;  ///< in the output's units
};

/// What the PSF turned out to be.
struct PsfReport {
  double factor = 1;          ///< what the PSF was multiplied with: 1 over its sum with normalize_psf
  Index negative_voxels = 0;  ///< taken as 0
  double negative_part = 0;   ///< of their magnitudes' sum, in the sum of the other voxels
  /// Of a constant under the PSF, as high as what four fifths of its border's voxels reach, in the PSF's sum: camera
  /// background that was not subtracted, or a PSF cut off before it has fallen. 0 where an extent is 2 to 4.
  double pedestal_part = 0;
};

/// Sums of voxels are infinite where double precision has no such number.
struct CONVOY_API DeconvolutionReport {
  Index iterations = 0;  ///< done
  StopReason stop_reason = StopReason::iterations;
  std::vector<IterationSums> curve;  ///< of the start and every iteration, with DeconvolverOptions::curve
  double elapsed_seconds = 0;
  double iterating_seconds = 0;  ///< of these, from the first iteration to the last; of several devices the sum
  /// In the order in which they were given; tiles are fast ones, whole images, or those of exact tiles' convolutions.
  std::vector<DeviceShare> devices;
  std::uint64_t peak_device_bytes = 0;
  Index missing_voxels = 0;     ///< without a datum: masked, saturated, NaN or infinite
  Index non_finite_voxels = 0;  ///< of these, NaN and infinite
  Index saturated_input_voxels = 0;
  Index negative_voxels = 0;   ///< data below 0, taken as 0
  double negative_sum = 0;     ///< of these
  Index saturated_voxels = 0;  ///< output voxels clipped to the range of the output's type
  double background = 0;       ///< b, as used; of the first image
  /// Of the first image: the 5th percentile of means of five neighbours along x, which camera offsets raise.
  double dim_level = 0;
  double input_sum = 0;     ///< flux in: sum over the data
  double output_sum = 0;    ///< flux out: sum over the output before rounding
  SeamError seam;           ///< of fast tiles
  Index skipped_tiles = 0;  ///< fast tiles, or whole images, that the ImageWriter held already; sums are without them
  PsfReport psf;            ///< of several the first one's

  /// Takes in what the restoration of another image reported. Iterations are the most, the curve is the first's.
  void add(const DeconvolutionReport& other);
};

/// PSFs made ready on a device or several, for any number of images of one shape. Not for use by two threads at once.
class CONVOY_API Deconvolver {
 public:
  /// Plans, allocates, compiles and transforms the PSF. Blocks. `psf` is read before this returns. When the device
  /// turns out to have less memory than it said, plans again for less, and then for tiles. Throws what make_plan
  /// throws; Error(invalid_argument) for a PSF with NaN or infinite voxels, with negative ones and NegativePsf::error,
  /// without any above 0, or of which a hundredth or less reaches the image (Edges::zero); and Error as Convolver's
  /// constructor does. With several PSFs (DeconvolutionSpec::num_psfs) `psf` is a batch of them; all are checked here
  /// and kept in host memory, and one at a time is on the device: a run does the images of one PSF before those of the
  /// next.
  Deconvolver(const DeconvolutionSpec& spec, const ImageView& psf, Device device,
              const DeconvolverOptions& options = {});
  /// The same on several devices, of whatever kinds, that share each run's fast tiles and images: whichever is free
  /// takes the next. Fast tiles are small enough for each of them; with Tiles::fast there are at least as many as
  /// devices, unless PlanOptions::streaming counts as many images. Exact tiles are shared within each convolution. A
  /// device that cannot take part, or that fails or runs out of memory in a run, is left out from then on; the others
  /// do its work, and DeconvolutionReport::devices says why. When none is left, throws OutOfMemory or Error with the
  /// causes of all. Throws Error(invalid_argument) for no devices. Each counts on its part of
  /// PlanOptions::host_memory_limit_bytes. Readers and writers are used by several threads at once.
  Deconvolver(const DeconvolutionSpec& spec, const ImageView& psf, const std::vector<Device>& devices,
              const DeconvolverOptions& options = {});
  ~Deconvolver();
  Deconvolver(Deconvolver&&) noexcept;
  Deconvolver& operator=(Deconvolver&&) noexcept;

  const DeconvolutionPlan& plan() const;  ///< of the first device that takes part, for the first PSF
  const PsfReport& psf(Index number = 0) const;

  /// Restores images of shape spec.image (a batch of one, or of any multiple of spec.num_psfs) into `output` of the
  /// same shape and batch. `mask`, if given, has that shape too, and is one for all: voxels where it is 0 have no
  /// datum. Blocks until the output is written. Inputs are not changed; output must not overlap them. Integer outputs
  /// are rounded to nearest (ties to even) and clipped. Throws Error(invalid_argument) on wrong shapes, NaN or infinite
  /// voxels with NonFinite::error, or if no voxel has a datum; Error(cancelled); Error(device_lost). After a throw the
  /// output's contents are unspecified, and the Deconvolver can be used again unless the device was lost.
  DeconvolutionReport run(const ImageView& image, const MutableImageView& output,
                          const std::optional<ImageView>& mask = {}, const DeconvolverRunOptions& options = {});
  /// The same for any number of images that need not be in memory (time points and channels), each into the output at
  /// its place; `masks`: none, one for all images, or one for each. Fast tiles are read and written one by one, twice
  /// over in all (first to find the data's mean); otherwise one image after the other is in memory. What the writers
  /// hold already is left out. All images are of one shape and one element, and so are the outputs. Blocks. Throws what
  /// readers and writers throw, too; after a throw some boxes may have been written. The report is of all.
  DeconvolutionReport run(const ImageReaders& images, const ImageWriters& outputs, const ImageReaders& masks = {},
                          const DeconvolverRunOptions& options = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace convoy::inline v0
