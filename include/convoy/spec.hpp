// What to compute. Where and how is the plan's business (plan.hpp).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "convoy/export.h"
#include "convoy/shape.hpp"

namespace convoy::inline v0 {

/// Which window of the full convolution is the output; n image, k kernel, per axis.
enum class Mode {
  full,     ///< n + k - 1 voxels: all that see the image; with a boundary they see that, too
  same,     ///< n voxels, starting at the kernel's origin in the full convolution
  valid,    ///< max(n,k) - min(n,k) + 1 voxels that see no voxel outside; one of the two must contain the other
  circular  ///< n voxels of the image repeated without end; equals same with Boundary::wrap
};

/// What lies outside the image for Mode::same and Mode::full, in the words of scipy.ndimage; with full, `constant`,
/// `wrap` and `reflect` are fill, wrap and symm of scipy.signal.convolve2d.
enum class Boundary {
  zero,
  constant,  ///< ConvolutionSpec::constant everywhere
  reflect,   ///< d c b a | a b c d | d c b a, repeated for kernels longer than the image
  nearest,   ///< a a a a | a b c d | d d d d
  wrap,      ///< a b c d | a b c d | a b c d
  mirror     ///< d c b | a b c d | c b a, likewise: reflection about the centre of the edge voxel
};
/// All of them, in the order of the enumeration.
inline constexpr std::array kAllBoundaries{Boundary::zero,    Boundary::constant, Boundary::reflect,
                                           Boundary::nearest, Boundary::wrap,     Boundary::mirror};

/// Which kernel voxel lies on the output voxel.
struct Origin {
  enum class Rule {
    center,  ///< floor(k/2): what ifftshift of a centred PSF means; scipy.ndimage and astropy agree
    scipy,   ///< floor((k-1)/2), and floor(k/2) with Operation::flip: scipy.signal's 'same' of convolve and correlate
    first,   ///< 0: a causal filter
    peak,    ///< the kernel's largest voxel (of a complex one by magnitude), the first of equals; resolved when the
             ///< kernel is known
    at       ///< the index given
  };
  Rule rule = Rule::center;
  Shape index{0, 0, 0};  ///< for Rule::at, 0 <= index < k

  static Origin at(const Shape& index) { return {Rule::at, index}; }
};

enum class Operation {
  convolve,
  /// The exact adjoint of convolve with the same mode, boundary and origin: <A x, y> = <x, A' y> in same and circular.
  /// It is the correlation with the kernel, of a complex one with its conjugate; where `reflect`, `mirror` and
  /// `nearest` read a voxel several times, the adjoint adds up what falls outside. With full and valid it is
  /// scipy.signal.correlate of that mode, and the two are each other's adjoint. Not with a constant other than 0
  /// outside: that map is affine, and has no adjoint; nor with full and a boundary other than zero.
  correlate,
  /// Convolution with the mirrored kernel, which is the correlation that reads the image through the boundary, as
  /// scipy.ndimage.correlate does: out[i] = sum over j of image[i + j - origin] * conj(kernel[j]), with any boundary.
  /// The origin is that of the kernel as given. The same as correlate with full, valid and circular, and in same with
  /// boundary zero or wrap. In full with a boundary it is scipy.signal.correlate2d of that boundary.
  flip
};

/// How ConvolutionSpec::batch images and num_kernels kernels belong together; with Operation::convolve or flip:
enum class Pairing {
  all,   ///< every image with every kernel: batch * num_kernels outputs, those of an image one behind the other
  each,  ///< image i with kernel i, which makes output i; num_kernels is batch
  /// out = sum over i of kernel_i * (weight_i image), with a weight image for every kernel: a PSF that varies over the
  /// image, as the sum of kernels that each hold where their weights are large. One output for each image.
  sum
};
/// All of them, in the order of the enumeration.
inline constexpr std::array kAllPairings{Pairing::all, Pairing::each, Pairing::sum};

enum class Precision { f32, f64 };

/// What to do with NaN and infinite image voxels, which would spread over whole tiles in a transform.
enum class NonFinite {
  error,  ///< throw, naming how many and the first
  zero,   ///< take them as 0 and count them
  /// Take them, and voxels of ConvolutionSpec::no_data, as missing: the normalised convolution, which is what
  /// astropy.convolution.convolve computes with nan_treatment='interpolate'. Each output voxel is
  /// s (k * x) / (k * m), x the image with 0 for what is missing, m 1 where it is not, s the kernel's sum: without
  /// missing voxels the convolution itself. What lies outside the image is not missing, unless `constant` is NaN. An
  /// output voxel whose kernel reaches nothing, or so little that rounding errors hide it (|k * m| below 16 u times the
  /// sum of the kernel's magnitudes, u = 2^-24 or 2^-53), is NaN and counted (RunReport::nan_voxels). Not with a kernel
  /// of sum 0, nor with Operation::correlate: what depends on the data has no adjoint. Images in host memory and
  /// files.
  interpolate
};

CONVOY_API const char* name(Mode value);
CONVOY_API const char* name(Boundary value);
CONVOY_API const char* name(Origin::Rule value);
CONVOY_API const char* name(Operation value);
CONVOY_API const char* name(Pairing value);
CONVOY_API const char* name(Precision value);
CONVOY_API const char* name(NonFinite value);

struct ConvolutionSpec {
  Shape image;
  Shape kernel;
  Mode mode = Mode::same;
  Boundary boundary = Boundary::zero;  ///< for Mode::same and Mode::full; other modes fix their own
  /// For Boundary::constant. NaN: what lies outside is missing, so that outputs that see it are NaN, as they are in
  /// astropy with fill_value=nan; with NonFinite::zero it is taken as 0, with NonFinite::interpolate the outputs come
  /// from what lies inside.
  double constant = 0;
  Origin origin;  ///< for Mode::same and Mode::circular only
  Operation operation = Operation::convolve;
  Precision precision = Precision::f32;  ///< of the arithmetic on the device
  /// Divide the kernel by its sum, each kernel by its own; RunReport::kernel_factors reports by how much. Of
  /// Pairing::sum, too, so that weights that add up to 1 keep the flux of what is constant.
  bool normalize_kernel = false;
  NonFinite non_finite = NonFinite::error;
  /// Output voxels where the image has NaN or an infinity are NaN again (0 in integer outputs), as with preserve_nan of
  /// astropy; for modes same and circular, and NonFinite::zero or interpolate.
  bool preserve_nan = false;
  /// Image voxels of exactly this value, compared as the image stores them, mark missing data: they are taken as 0,
  /// inside the image and where a boundary repeats them, and counted. With NonFinite::interpolate they are missing.
  /// Finite; for NaN there is `non_finite`.
  std::optional<double> no_data;
  /// Only this part of the output is computed, from what it needs of the image: the same voxels that the whole output
  /// has there, to rounding. Positions are those of the mode's output.
  std::optional<Box> region;
  /// Images of shape `image`, one behind the other in memory or on the device, that a run convolves; outputs follow
  /// each other likewise. See num_images() and num_outputs().
  Index batch = 1;
  /// Kernels of shape `kernel`, one behind the other (ImageView::batch). An origin of Rule::peak is refused for more
  /// than one: their peaks may differ.
  Index num_kernels = 1;
  /// With Operation::correlate the map is the exact adjoint of convolve with the same pairing: of `all`, one output
  /// from every num_kernels images, sum over i of the correlation of image i with kernel i; of `each`, image i with
  /// kernel i; of `sum`, sum over i of weight_i (image correlated with kernel i).
  Pairing pairing = Pairing::all;
};

/// Images that a run reads: spec.batch, or for the adjoint of Pairing::all spec.batch times num_kernels.
CONVOY_API Index num_images(const ConvolutionSpec& spec);
/// Images that a run writes: spec.batch, or with Pairing::all spec.batch times num_kernels, unless for the adjoint.
CONVOY_API Index num_outputs(const ConvolutionSpec& spec);
/// Of each weight image of Pairing::sum: the image's, or for the adjoint that of the mode's whole output. Throws as
/// whole_output_shape() does.
CONVOY_API Shape weights_shape(const ConvolutionSpec& spec);

/// Shape of the output: that of the mode, or of the region if there is one. Throws Error(invalid_argument) as
/// validate() does.
CONVOY_API Shape output_shape(const ConvolutionSpec& spec);
/// Shape of the mode's whole output. Throws as well.
CONVOY_API Shape whole_output_shape(const ConvolutionSpec& spec);

/// Throws Error(invalid_argument) for a batch or num_kernels below 1, Pairing::each with as many kernels as there are
/// no images, Pairing::sum with a constant other than 0 outside, several kernels with Rule::peak, extents below 1 or
/// above 2^56, sizes whose sum has more than 2^63 - 1 voxels, mode valid where neither image nor kernel contains the
/// other, an origin outside the kernel, a boundary with a mode that has none (circular may say wrap), a constant that
/// is infinite or a no_data that is not finite, correlate with a constant that is not 0, in mode full with a boundary
/// or with NonFinite::interpolate, preserve_nan where no output voxel belongs to an image voxel or NonFinite::error
/// refuses NaN, or a region that is empty or not within the output; Error(unsupported) for several kernels or
/// Pairing::sum with NonFinite::interpolate, preserve_nan or a constant of NaN. The message names axis and numbers.
CONVOY_API void validate(const ConvolutionSpec& spec);

}  // namespace convoy::inline v0
