// Deconvolution: an image that was blurred by a known kernel (PSF), restored on any device.
//
// The model is d = H e + b: the observed image d is the blurred unknown e plus a constant background b. H' is the exact
// adjoint of H, w = H' 1.
//
//   Richardson-Lucy   e <- e / w * H'(d / (H e + b))                climbs the likelihood under Poisson noise
//   Landweber         e <- max(0, e + H'(d - b - H e) / s^2)        descends the squared residual; s: sum of |PSF|
//   Wiener            E = conj(F) (D - B) / (|F|^2 + r |F(0)|^2)    F, D, B, E: spectra of PSF, d, b, e
//
// With total variation of weight L, Richardson-Lucy's new e is divided by max(0.1, 1 - L div(g / |g|)), g = grad e: the
// divergence and the gradient of e as it was, from forward differences and their adjoint over voxels that are
// v_a / min(v_z, v_y, v_x) apart along axis a, v the voxel size: whatever its unit, only its ratios enter, and L
// belongs to the smallest distance. |g| is sqrt(g_z^2 + g_y^2 + g_x^2 + (m / 1000)^2), m the data's mean (Dey et al.,
// eq. 14, with the voxel sizes and the softening added).
//
// Every algorithm is homogeneous: data, background and saturation c times as large give a result c times as large, and
// exactly so for powers of two: computed is in units of a power of two near the data's mean. Finite data and PSFs give
// finite results, with Richardson-Lucy and Landweber none below 0, however large, small, dark or constant they are;
// what an output's type has no number for is clipped, and counted (DeconvolutionReport::saturated_voxels). A PSF c
// times as large with normalize_psf off gives a result 1/c times as large. Compatibility::skimage has constants of its
// own and is not homogeneous, but as finite.
//
// Sources: gradient consensus: J. Manton and A. York, Richardson-Lucy with gradient consensus,
// doi 10.5281/zenodo.10278919 (2023), with measured noise in place of photon counts; discrepancy: M. Bertero et al.,
// Inverse Probl. 26:105004 (2010); W. H. Richardson, J. Opt. Soc. Am. 62:55 (1972); L. B. Lucy, Astron. J. 79:745
// (1974); edges: M. Bertero and P. Boccacci, Astron. Astrophys. 437:369 (2005); acceleration: D. Biggs and M. Andrews,
// Appl. Opt. 36:1766 (1997); momentum: H. Wang and P. Miller, IEEE Trans. Image Process. 23:848 (2014); total
// variation: N. Dey et al., Microsc. Res. Tech. 69:260 (2006).
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

#include "convoy/device.hpp"
#include "convoy/device_share.hpp"
#include "convoy/image.hpp"
#include "convoy/plan.hpp"
#include "convoy/shape.hpp"
#include "convoy/spec.hpp"
#include "convoy/stream.hpp"

namespace convoy {

enum class Algorithm { richardson_lucy, wiener, landweber };

/// How an iteration starts ahead of the last estimate p, along its step from the one before, q: from p + a (p - q)
/// where p has risen, and from p^2 / (p + a (q - p)) where it has fallen, which has the same slope in a but stays above
/// 0: a voxel that is extrapolated to 0 would stay there. Several times fewer iterations; the likelihood may fall now
/// and then.
enum class Acceleration {
  automatic,  ///< momentum for Richardson-Lucy, none for what has no acceleration
  none,
  biggs,    ///< a from the last two steps, 0 when the step points downhill: 2 arrays more, and sums over them
  momentum  ///< a = min(0.9, 1 - 1/i) in iteration i, as in heavy-ball methods: 1 array more, and no sums
};

/// Where the light of the unknown may come from. n image, k PSF, per axis.
enum class Edges {
  /// From everywhere the PSF can bring it from: the unknown has n + k - 1 voxels, of which the image's n are returned.
  /// No
  /// light leaks, nothing rings; voxels that less than a hundredth of their light reaches the image from are left out.
  noncirculant,
  zero,    ///< from inside the image only: cheapest, and bright edges pile up
  reflect  ///< the image is continued by reflection to a smooth length of at least n + k - 1 and taken as periodic
};

/// What ends the iterations before DeconvolutionSpec::iterations do.
enum class Stop {
  none,  ///< or DeconvolutionSpec::stop_relative_change
  /// The counts are thought of as split in halves, each with noise of its own. Of each iteration, a voxel takes part
  /// where the halves agree which way it is to go: c the correction less 1, q the correction of half the noise, (c + q)
  /// (c - q), blurred there and back, is above 0. The iterations end when they change less than 1e-4 of the estimate.
  /// The noise of a voxel is measured: its fourth difference along x over sqrt(70), with a random sign. An iteration
  /// takes 5 convolutions in place of 2.
  gradient_consensus,
  /// When the I-divergence is no more than what noise makes of it: half the sum of v / m, v the variance as measured,
  /// m the mean of five neighbours.
  discrepancy
};

/// What the iterations start from.
enum class Start {
  /// Between flat and image: flat + s (image - flat), s = 1 - v_n / v_d, v_d the data's variance and v_n that of their
  /// noise, from fourth differences along x. Noise that is there from the start stays; what is not noise saves
  /// iterations.
  automatic,
  image,  ///< the observed image less the background, over the PSF's sum, at least a hundredth of its mean
  flat,   ///< a flat image whose blur has the data's mean: neutral
  value   ///< a flat image of DeconvolutionSpec::start_value
};

/// Whose results to reproduce.
enum class Compatibility {
  none,
  /// skimage.restoration.richardson_lucy with its defaults: start 0.5, zeros outside, the PSF as given and placed as
  /// scipy.signal does, the result clipped to -1 .. 1. Even PSFs have no adjoint there, so point sources drift. Edges,
  /// start, background, origin, normalisation and saturation are what that function has, whatever the spec says.
  skimage
};

/// What to do with negative voxels of the PSF, which noise and subtracted backgrounds leave. Light has none: they would
/// make blurs negative, and Richardson-Lucy diverge. scikit-image's are taken as they are.
enum class NegativePsf {
  error,  ///< throw, with their number and sum
  clip    ///< take them as 0; PsfReport has their number and sum
};

/// What to do with images whose deconvolution does not fit the device at once.
enum class Tiles {
  /// Each convolution of each iteration goes through the device in tiles: equal to the whole, to rounding. Estimate and
  /// data live in host memory (see DeconvolutionPlan::host_bytes).
  exact,
  /// Tile after tile, all iterations of one while it is on the device, with a halo round it that is restored with it
  /// and
  /// left out: no traffic between iterations, and an error that grows towards the seams (DeconvolutionReport::seam).
  /// Start and thresholds are those of the whole image. For noncirculant edges, without Biggs' acceleration, anything
  /// to stop at but iterations, and compatibility, whose numbers would be a tile's own; the report has no curve.
  fast
};

const char* name(Algorithm value);     ///< "rl", "wiener", "landweber"
const char* name(Acceleration value);  ///< "auto", "none", "biggs", "momentum"
const char* name(Edges value);
const char* name(Stop value);   ///< "none", "gradient-consensus", "discrepancy"
const char* name(Start value);  ///< "auto", "image", "flat", "value"
const char* name(Compatibility value);
const char* name(Tiles value);
const char* name(NegativePsf value);  ///< "error", "clip"

inline constexpr Index kDefaultIterations = -1;

struct DeconvolutionSpec {
  Shape image;
  Shape psf;
  /// PSFs, all of shape `psf`: image i of a run has PSF i modulo their number, as channels have that lie next to each
  /// other. Each has its own origin with Origin::Rule::peak.
  Index num_psfs = 1;
  Algorithm algorithm = Algorithm::richardson_lucy;
  /// At most; Wiener has none. By default 25, or 200 where `stop` ends them.
  Index iterations = kDefaultIterations;
  Acceleration acceleration = Acceleration::automatic;  ///< of Richardson-Lucy
  Edges edges = Edges::noncirculant;                    ///< Wiener, which is periodic, takes reflect for noncirculant
  Start start = Start::automatic;
  double start_value = 0;  ///< of Start::value, in the output's units; above 0
  double background = 0;   ///< b, in the image's units; not below 0
  /// b is each image's dim level in place of `background`: a twentieth of its voxels is darker, noise left out
  /// (DeconvolutionReport::dim_level).
  bool estimate_background = false;
  /// Total variation: how strongly flat patches are preferred, for Richardson-Lucy; 0.002 to 0.02 is usual, below 1.
  double tv = 0;
  std::array<double, 3> voxel_size{1, 1,
                                   1};  ///< distance of neighbours along z, y, x, for tv; in any unit, one for all
  /// r: noise power over signal power. Below 1e-12 (f32) or 1e-28 (f64), the squared rounding errors of the PSF's
  /// spectrum, it counts as that: what the PSF has extinguished is not divided by.
  double wiener_noise = 1e-3;
  /// Iterations end when an iteration changes less than this part of the estimate: sum |e' - e| / sum e'. 0: never.
  double stop_relative_change = 0;
  Stop stop = Stop::none;  ///< of Richardson-Lucy, with momentum or without acceleration
  Origin origin;           ///< PSF voxel that a point source is moved by 0 voxels from; center is floor(k/2)
  Precision precision = Precision::f32;
  bool normalize_psf = true;  ///< divide the PSF by its sum, so that light is kept
  NegativePsf psf_negative = NegativePsf::clip;
  /// NaN and infinite voxels: error throws; zero takes them, here, as voxels without a datum, which are restored from
  /// their neighbours.
  NonFinite non_finite = NonFinite::error;
  /// Voxels of this value and above are saturated: they have no datum either.
  double saturation = std::numeric_limits<double>::infinity();
  Compatibility compatibility = Compatibility::none;
  Tiles tiles = Tiles::exact;
  double halo = 1;  ///< of fast tiles, on each side, in PSF extents less 1, rounded up; at least a voxel
  /// Restore only this part of the image; the output has its shape. It is cut into fast tiles, whose halos are read
  /// from the image round it; start and thresholds are those of the whole image, all of which is looked at. In tiles of
  /// the same cores (PlanOptions::tile_output) it is what the whole has there, bit by bit.
  std::optional<Box> region = {};
};

/// Shape of the output: that of the image, or of the region.
Shape output_shape(const DeconvolutionSpec& spec);

/// Throws Error(invalid_argument) for extents below 1 or sums of extents that overflow, iterations below 0, a negative
/// background, tv, halo or stop_relative_change, an origin outside the PSF, values that are not finite, voxel sizes
/// and start values that are not above 0, acceleration, tv or compatibility with another algorithm than
/// Richardson-Lucy, what Tiles::fast excludes, and a region that is empty, leaves the image, or is to be restored in
/// exact tiles.
void validate(const DeconvolutionSpec& spec);

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
  /// Host memory: of arrays between exact tiles, and with PlanOptions::streaming all that a run takes.
  std::vector<LedgerLine> host_ledger;
  std::uint64_t host_bytes = 0;     ///< sum of the host's ledger
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
DeconvolutionPlan make_plan(const DeconvolutionSpec& spec, const Limits& limits, const PlanOptions& options = {});

/// The plan that a Deconvolver on these devices begins with: of the first that can take part. Blocks while the devices
/// are asked for their memory. Throws what the other make_plan() throws when no device can take part, and
/// Error(invalid_argument) for no devices.
DeconvolutionPlan make_plan(const DeconvolutionSpec& spec, const std::vector<Device>& devices,
                            const PlanOptions& options = {});

/// Cuts what a plan restores in fast tiles into so many boxes of whole cores, for jobs that each restore one as their
/// DeconvolutionSpec::region, with FastTiling::core as PlanOptions::tile_output. In z, y, x order. Throws
/// Error(invalid_argument) for plans without fast tiles and for numbers that no grid of boxes has.
std::vector<Box> split_output(const DeconvolutionPlan& plan, Index num_regions);

/// For people: frame, padding, ledgers line by line, prediction, reasons.
std::string to_text(const DeconvolutionPlan& plan);
/// One JSON object, as that of a Plan: what both have is called alike, "kind" says which it is, and "convolution" and
/// "adjoint" (or null) are Plans. Seconds and traffic are those of one iteration.
std::string to_json(const DeconvolutionPlan& plan);

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
const char* name(StopReason reason);

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
struct DeconvolutionReport {
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
class Deconvolver {
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

}  // namespace convoy
