// What to restore and how: the model, the algorithms, and everything about them that does not depend on a device.
//
// The model is d = H e + b: the observed image d is the blurred unknown e plus a constant background b. H' is the exact
// adjoint of H, w = H' 1.
//
//   Richardson-Lucy   e <- e / w * H'(d / (H e + b))                climbs the likelihood under Poisson noise
//   Landweber         e <- max(0, e + t H'(d - b - H e) / s^2)      descends the squared residual; s: sum of |PSF|
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
// variation: N. Dey et al., Microsc. Res. Tech. 69:260 (2006); damping: R. White, in The Restoration of HST Images and
// Spectra II (R. Hanisch and R. White, eds.), 104 (1994).
#pragma once

#include <array>
#include <limits>
#include <optional>

#include "convoy/export.h"
#include "convoy/shape.hpp"
#include "convoy/spec.hpp"

namespace convoy::inline v0 {

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

CONVOY_API const char* name(Algorithm value);     ///< "rl", "wiener", "landweber"
CONVOY_API const char* name(Acceleration value);  ///< "auto", "none", "biggs", "momentum"
CONVOY_API const char* name(Edges value);
CONVOY_API const char* name(Stop value);   ///< "none", "gradient-consensus", "discrepancy"
CONVOY_API const char* name(Start value);  ///< "auto", "image", "flat", "value"
CONVOY_API const char* name(Compatibility value);
CONVOY_API const char* name(Tiles value);
CONVOY_API const char* name(NegativePsf value);  ///< "error", "clip"

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
  /// White's damping of Richardson-Lucy, in standard deviations of the noise: where blur and data differ by less, they
  /// count as nearly equal, and noise is not followed. 3 is usual; 0: none. The noise is measured: its variance is the
  /// gain times the blur, the gain twice the part of the I-divergence that noise makes of a datum (Stop::discrepancy).
  double damping = 0;
  double relaxation = 1;  ///< of Landweber: its step is this part of 1 / s^2; between 0 and 2
  bool clip = true;       ///< of Landweber: voxels below 0 become 0; without, it is linear
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
CONVOY_API Shape output_shape(const DeconvolutionSpec& spec);

/// Throws Error(invalid_argument) for extents below 1 or sums of extents that overflow, iterations below 0, a negative
/// background, tv, damping, halo or stop_relative_change, a relaxation that is not between 0 and 2, an origin outside
/// the PSF, values that are not finite, voxel sizes and start values that are not above 0, acceleration, tv, damping or
/// compatibility with another algorithm than Richardson-Lucy, what Tiles::fast excludes, and a region that is empty,
/// leaves the image, or is to be restored in exact tiles.
CONVOY_API void validate(const DeconvolutionSpec& spec);

}  // namespace convoy::inline v0
