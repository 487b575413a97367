// The plan: how a convolution is cut and padded so that it fits a device, as a value. Pure: no device is touched.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "convoy/advanced/plan_options.hpp"
#include "convoy/bytes_text.hpp"
#include "convoy/device.hpp"
#include "convoy/export.h"
#include "convoy/image.hpp"
#include "convoy/method.hpp"
#include "convoy/path.hpp"
#include "convoy/spec.hpp"

namespace convoy::inline v0 {

/// Kernels of more products have no separable plan.
inline constexpr int kMostSeparableTerms = 4;

/// How to choose among plans that are all right.
enum class Tune {
  off,     ///< fewest tiles, then least memory, and the transforms' own defaults; tiles wherever they fit
  model,   ///< least predicted time
  measure  ///< the likeliest few are run once on the device, and the fastest is kept as wisdom for the next time
};
CONVOY_API const char* name(Tune tune);

/// What a run reads and writes box by box instead of finding it in memory.
struct Streaming {
  Element read = Element::f32;
  Element write = Element::f32;
  Shape read_chunk;                ///< ImageReader::chunk()
  Shape write_chunk;               ///< ImageWriter::chunk(); tiles are multiples of it where that costs little
  std::uint64_t record_bytes = 0;  ///< host memory that the writer keeps for each box that is written, of a journal
  Index num_groups = 1;            ///< images of one run, in groups of num_images(spec): the next is read ahead
};

/// What users say; what is for tests and tuning by hand is inherited (docs/decisions/010).
struct PlanOptions : AdvancedPlanOptions {
  std::uint64_t memory_limit_bytes = 0;  ///< 0: the device's free bytes less its reserve
  /// Most host memory that a Convolver and its runs may take, the caller's images not counted. On the cpu the
  /// device's memory counts, too. 0: make_plan sets none, a Convolver nine tenths of what the machine has free.
  std::uint64_t host_memory_limit_bytes = 0;
  /// Of a Deconvolver: a folder, or a new file's path. Where host memory does not hold the arrays between exact tiles,
  /// they lie in a file there that has no name; empty: such images go in fast tiles.
  std::string scratch;
  std::optional<Streaming> streaming;  ///< images come from an ImageReader and go to an ImageWriter
  /// Error(unsupported) says why where it is not possible. Automatic considers nothing but fft where `path` or `choice`
  /// is set.
  Method method = Method::automatic;
  /// What is known of the kernel: the least number of products f(z) * g(y) * h(x) that it is the sum of, to the
  /// precision of the arithmetic, or 0 if it is more than kMostSeparableTerms. Convolvers, which see the kernel, set
  /// it. Without it a plan of Method::automatic does not consider separable, and one of Method::separable takes it
  /// as 1.
  std::optional<int> separable_terms;
  /// This path of Method::fft and no other: Error(unsupported) says why where the device, the lengths or the loaded
  /// code do not allow it. Empty (auto): the first of native, fused and staged that they allow.
  std::optional<Path> path;
  int num_devices = 1;      ///< that share the tiles, at least four for each, and the host's memory
  Tune tune = Tune::model;  ///< make_plan, which sees no device, takes measure for model; a Convolver measures
  /// The same bits in every run of the same problem with the same options, by the same convoy on the same machine,
  /// device and driver. The plan then counts on half of the device's memory and of the machine's, whatever is free (or
  /// less, as memory_limit_bytes and host_memory_limit_bytes say); where that is not free after all, OutOfMemory is
  /// thrown in place of planning again for less. What was measured decides nothing: Convolver's constructor throws
  /// Error(invalid_argument) for Tune::measure and FftTuning::measure_transforms. Several devices must be of one kind.
  bool deterministic = false;
  /// Image and output are the caller's and lie on the device, as a ResidentConvolver sets: no transfers and no room for
  /// them are counted. Tune::measure, which times whole runs, takes Tune::model here.
  bool resident = false;
};

/// One axis of the image. Positions are image coordinates: 0 is the image's first voxel, negative lies outside.
///
/// "Kernel" means what the device is given, made from the caller's kernel in this order:
///   1. Operation::correlate and flip: reversed on every axis, kernel[t] = given[k - 1 - t];
///   2. fold_kernel: added up modulo the image, folded[t mod n] += kernel[t], so that n elements are left;
///   3. cropped to kernel_begin <= t < kernel_begin + kernel_size.
/// Tile t then holds, for 0 <= b < tile_output and with K the transform's period:
///   output[t * tile_output + b] = sum over a < tile_input of tile[a] * K[(b - a) mod P]
///   tile[a] = extended[t * tile_output + input_offset + a]
struct AxisPlan {
  Index image = 1;   ///< n
  Index kernel = 1;  ///< k, as given
  Index output = 1;  ///< voxels that the device computes: those of the output, or n + k - 1 with Plan::fold_output
  Index kernel_begin = 0;  ///< the part of the kernel that can reach any output voxel; the rest is left out
  Index kernel_size = 1;
  Index shift = 0;         ///< output[o] = sum of extended[j] * kernel[o + shift - j] over j, before cropping
  Index fold_begin = 0;    ///< with Plan::fold_output: position in the extended image of output voxel 0
  Index folded_begin = 0;  ///< with Plan::fold_output: the image voxels that it is folded onto, all or the region's
  Index folded_size = 1;
  bool fold_kernel = false;  ///< kernel longer than a periodic image: it is added up modulo n first
  bool periodic = false;     ///< the transform's own period is the image's: no padding, no halo
  Index num_tiles = 1;
  Index tile_output = 1;   ///< output voxels of a tile; the last one may hold fewer
  Index tile_input = 1;    ///< voxels of the extended image that a tile reads, those beyond the last output included
  Index input_offset = 0;  ///< tile t reads from t * tile_output + input_offset on
  Index extent = 1;        ///< of the device's image slot: max(tile_input, tile_output)
  Index padded = 1;        ///< P, the transform length; tile_input where nothing is transformed
  Index kernel_delta = 0;  ///< kernel element t goes to transform index (t - kernel_delta) mod P
};

struct LedgerLine {
  std::string name;
  std::uint64_t bytes = 0;
  std::string note;
};

/// Of plans that split the transform in place of the image: one axis in so many parts (decimation in frequency), which
/// take so many convolutions of the plan's padded shape, one after the other or shared by devices.
struct SplitInParts {
  int axis = 0;
  Index num_parts = 1;
  Index num_convolutions = 1;
};

/// A finished plan.
struct CONVOY_API Plan {
  ConvolutionSpec spec;
  Limits limits;
  Path path = Path::fused;
  std::array<AxisPlan, 3> axes;  ///< z, y, x
  /// Device axis d (0 is contiguous) is image axis device_axes[d]. Axes that need no transform come last, and
  /// num_transforms says how many do (at least 1).
  std::array<int, 3> device_axes{2, 1, 0};
  int num_transforms = 3;
  Index batch = 1;  ///< tiles that one sequence of launches convolves
  /// Of several kernels on device arrays: so many that such a sequence convolves them with; else 1.
  Index kernels_at_once = 1;
  /// Adjoint of a boundary that reads image voxels several times: output voxel o of an axis lies at o + fold_begin of
  /// the extended image, and is added to the image voxel that the boundary reads there.
  bool fold_output = false;
  Index row_pitch = 1;  ///< complex elements per row of work buffer and spectrum
  /// The kernel's extent along the last transformed axis, if it is stored compact (FilterStorage). 0: its spectrum is.
  Index kernel_extent = 0;
  int separable_terms = 0;  ///< of Path::separable: products that the kernel is taken to be the sum of
  /// If set, axes, path and device memory are those of one part, and bytes and time those of all.
  std::optional<SplitInParts> split;
  /// Tiles in flight: while one is computed, another is uploaded and a third downloaded. Each has its own image slot.
  /// On the cpu: tiles that its threads work on side by side, each with a work buffer, too.
  int num_in_flight = 1;
  /// A tile is uploaded and downloaded in pieces of so many voxels of the last transformed axis, so that the host fills
  /// and empties some while others are on their way.
  Index piece_extent = 1;
  FftTuning tuning;       ///< as chosen, which backends and wisdom read
  SumTuning sum_tuning;   ///< as PlanOptions asked
  bool resident = false;  ///< as PlanOptions asked
  std::vector<LedgerLine> ledger;
  std::vector<LedgerLine> host_ledger;         ///< host memory of a run, the caller's images not counted
  std::uint64_t host_bytes = 0;                ///< sum of the host's ledger
  std::uint64_t footprint_bytes = 0;           ///< sum of the ledger
  std::uint64_t budget_bytes = 0;              ///< what it had to fit
  std::uint64_t smallest_footprint_bytes = 0;  ///< of the finest tiling, below which only a split may serve a budget
  double predicted_seconds = 0;      ///< of one run, from the device's expected rates; 0 when they are unknown
  std::uint64_t traffic_bytes = 0;   ///< device memory traffic of one run
  std::uint64_t transfer_bytes = 0;  ///< host <-> device bytes of one run
  std::vector<std::string> reasons;  ///< why so: what was chosen and what was not

  /// What a run does one after the other, or devices share.
  Method method() const {
    return path == Path::direct ? Method::direct : path == Path::separable ? Method::separable : Method::fft;
  }
  Index num_pieces() const { return split ? split->num_convolutions : num_tiles(); }
  Index num_tiles() const { return axes[0].num_tiles * axes[1].num_tiles * axes[2].num_tiles; }
  /// Sequences of launches, each of `batch` tiles of whatever images; with several kernels, as if there were one.
  Index num_batches() const;
  Shape padded() const { return {axes[0].padded, axes[1].padded, axes[2].padded}; }
};

/// Bytes of the nine padded arrays (image, PSF, shifted PSF, two spectra, product, inverse, FFT temporaries) that the
/// usual GPU script holds at once: 9 x padded voxels x bytes per voxel, padded to n + k in full, same and valid (to n
/// where k is 1).
CONVOY_API std::uint64_t nine_copy_bytes(const ConvolutionSpec& spec);

/// Chooses padding, path, axis order and tiles of least predicted cost that fit limits and options. Deterministic.
/// The origin must not be Rule::peak, which depends on the kernel's voxels: make it Rule::at first.
/// Throws Error(invalid_argument) as validate() does, for Rule::peak, for more min_tiles than output voxels, and for a
/// PlanOptions::choice that this problem does not have or that does not fit;
/// OutOfMemory with the smallest footprint of any tiling when that does not fit; Error(unsupported) when an extent
/// cannot be transformed at all on this device or by PlanOptions::path, or the device has no double precision and the
/// spec asks for it.
CONVOY_API Plan make_plan(const ConvolutionSpec& spec, const Limits& limits, const PlanOptions& options = {});

/// Cuts the output (or the spec's region) into so many boxes of like size, for jobs that each compute one as their
/// ConvolutionSpec::region; of all ways the one that reads least of the image. In z, y, x order. Throws
/// Error(invalid_argument) as validate() does, and for numbers that no grid of boxes has.
CONVOY_API std::vector<Box> split_output(const ConvolutionSpec& spec, Index num_regions);

/// The part of the image that the output (or the spec's region) depends on: nothing outside it changes any voxel there.
/// As small as a box can be; where a boundary wraps, it holds what lies between the parts that are read. For jobs that
/// fetch their part of the image themselves. Throws Error(invalid_argument) as validate() and resolve_origin() do.
CONVOY_API Box input_box(const ConvolutionSpec& spec);

/// Index of the origin per axis of the kernel as given. `kernel` is read by Rule::peak only: its largest voxel, the
/// first of equals in z, y, x order. Throws Error(invalid_argument) for Rule::peak without a kernel.
CONVOY_API Shape resolve_origin(const ConvolutionSpec& spec, const ImageView* kernel);

/// PlanOptions::separable_terms of this kernel, as the device would be given it: reversed, folded and cropped as
/// AxisPlan says. What its products may leave is 1e-7 of its norm in f32, 5e-15 in f64. Nothing for kernels whose
/// extents add up to more than 512, which are not looked at. The spec's origin must be resolved.
CONVOY_API std::optional<int> count_separable_terms(const ConvolutionSpec& spec, const ImageView& kernel);

/// For people: padding, tiles, ledger line by line with the 9-copy figure, prediction, reasons.
CONVOY_API std::string to_text(const Plan& plan);

/// One JSON object; sizes as [z,y,x], units in the key names. "kind" is convolution.
CONVOY_API std::string to_json(const Plan& plan);

}  // namespace convoy::inline v0
