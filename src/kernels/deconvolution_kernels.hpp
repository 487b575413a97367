// The point-wise steps and sums of deconvolution.
//
// The unknown lives on a frame, of which the observed image shows a window: frame_*, begin_*, window_* are sizes and
// the window's first voxel. observed holds the window's voxels, tight; -1e30 and below means that there is no datum. An
// iteration works in place: image holds the estimate, then its blur, the ratio or residual, the correction, the
// proposed estimate, and at last the estimate again.
// Data and background come in units of about the data's mean (deconvolution/observed_data.hpp) and the PSF's sum is 1
// but for scikit-image, so that constants stand for parts of the mean: no value a user sees is near 1e-15 or 1e15, and
// what is bounded by them can be multiplied, squared and added up over any frame within the range of single precision.
// Kernels over `count` elements take element thread_y * row + thread_x.
#pragma once

#include "kernels/kernel_spec.hpp"

namespace convoy::kernels {

/// What the host knows only when it has seen the data, as reals in the scalars slot.
namespace scalars {
inline constexpr int start = 0;             ///< start value
inline constexpr int least_start = 1;       ///< start values from the image are not below it
inline constexpr int least_blurred = 2;     ///< blurred values are not below it
inline constexpr int background = 3;        ///< constant light in the data
inline constexpr int least_correction = 4;  ///< corrections are not below it
inline constexpr int step = 5;              ///< of propose_step; of damped_ratio the squared threshold
inline constexpr int acceleration = 6;      ///< factor of accelerate
inline constexpr int softness = 7;          ///< slopes that regularize_tv takes for flat
inline constexpr int image_share = 8;       ///< of the image in start values; the rest is the start value's
inline constexpr int iteration = 9;         ///< of momentum_factor, counted on the device
inline constexpr int count = 10;
}  // namespace scalars

/// known = 1 where there is a datum, 0 elsewhere. buffers: observed, known. parameters: frame, begin, window (x, y, z).
extern const KernelSpec indicate;
/// weights = 1 / image, 0 where image <= least. buffers: image, weights. parameters: count, row, least.
extern const KernelSpec invert_weights;
/// estimate = image = the start value, or with from_observed 1, where there is a datum, image_share of the observed
/// voxel less the background and the rest of the start value; 0 where weights are 0. buffers: observed, weights,
/// scalars, estimate, image. parameters: frame, begin, window, from_observed.
extern const KernelSpec start_estimate;
/// previous = estimate, gradient = 0. buffers: estimate, previous, gradient. parameters: count, row.
extern const KernelSpec start_acceleration;

/// image = observed / (image + background), 0 where there is no datum; the divisor is at least 1e-15 in magnitude,
/// which only scikit-image's, whose blur may be negative, is ever below. buffers: observed, scalars, image. parameters:
/// frame, begin, window.
extern const KernelSpec ratio;
/// As ratio, but where the deviance u = 2 (d log(d / m) - d + m) / t of datum d and m = image + background is below 1,
/// of the ratio r less 1 only the part u^9 (10 - 9 u) is left: 1 + u^9 (10 - 9 u) (r - 1). t is the scalar step (R.
/// White, in The Restoration of HST Images and Spectra II, 104, 1994).
extern const KernelSpec damped_ratio;
/// image = observed - (image + background), 0 where there is no datum. As ratio.
extern const KernelSpec residual;
/// shifted[p] = image[p - shift], 0 where that lies outside the frame. buffers: image, shifted. parameters: frame,
/// shift.
extern const KernelSpec shift;
/// image = image / (1 - strength * div(grad e / |grad e|)), e the estimate; forward differences, their adjoint as
/// divergence, voxels 1 / inverse_* apart (in units of the smallest distance: inverse_* is 1 at most), |grad e|
/// softened to sqrt(|grad e|^2 + softness^2), the denominator at least 0.1 (Dey et al., Microsc. Res. Tech. 69:260,
/// 2006). buffers: estimate, scalars, image. parameters: frame, strength, inverse_x, inverse_y, inverse_z.
extern const KernelSpec regularize_tv;
/// image = estimate * image * weights, between -1e15 and 1e15. buffers: weights, estimate, scalars, image. parameters:
/// count, row.
extern const KernelSpec propose_product;
/// image = estimate + step * image, between least_correction and 1e15, 0 where weights are 0. As propose_product.
extern const KernelSpec propose_step;
/// estimate = image. buffers: image, estimate. parameters: count, row.
extern const KernelSpec accept;
/// With p the proposed estimate in image, q the previous and a the acceleration factor: gradient = p - estimate;
/// estimate = image = p + a (p - q) where p has risen, p^2 / (p + a (q - p)) where it has fallen; previous = p.
/// buffers: scalars, previous, gradient, estimate, image. parameters: count, row.
extern const KernelSpec accelerate;
/// As accelerate, without a gradient. buffers: scalars, previous, estimate, image. parameters: count, row.
extern const KernelSpec extrapolate;
/// As extrapolate where the consensus is above 0, estimate = image = p elsewhere. buffers: scalars, consensus,
/// previous, estimate, image. parameters: count, row.
extern const KernelSpec extrapolate_agreed;
/// consensus = noise / (image + background) in the window, as ratio, 0 outside. buffers: noise, scalars, image,
/// consensus. parameters: frame, begin, window.
extern const KernelSpec noise_ratio;
/// image = 0 outside the window. buffers: image. parameters: frame, begin, window.
extern const KernelSpec keep_window;
/// With c = image * weights - 1 and q = consensus * weights, both between -1000 and 1000: consensus = (c + q)(c - q), 0
/// where weights are 0. buffers: image, weights, consensus. parameters: count, row.
extern const KernelSpec agreement;
/// As propose_product where the consensus is above 0, image = estimate elsewhere. buffers: weights, estimate, scalars,
/// consensus, image. parameters: count, row.
extern const KernelSpec propose_agreed;
/// previous = estimate. buffers: estimate, previous. parameters: count, row.
extern const KernelSpec start_momentum;
/// scalars[iteration] += 1, then scalars[acceleration] = 1 - 1 / scalars[iteration], at most `most`. buffers: scalars.
/// parameters: most (high and low part). threads: 1.
extern const KernelSpec momentum_factor;
/// scalars[acceleration] = products 0 / products 1, between 0 and 1; 0 if one of the three products is not above 0, or
/// not below 1e37: then it, or a part of it, may be infinite (D. Biggs
/// and M. Andrews, Appl. Opt. 36:1766, 1997; B. O'Donoghue and E. Candes, Found. Comput. Math. 15:715, 2015, for the
/// latter). buffers: products, scalars. parameters: num_sums. threads: 1.
extern const KernelSpec acceleration_factor;
/// cropped = the box of `size` voxels of the frame from `begin` on, tight. buffers: source, cropped. parameters: frame
/// x and y, begin, size.
extern const KernelSpec crop;

/// Sums are taken in three stages, so that every order of threads gives the same result: thread t adds up elements
/// t * thread_stride + s * step_stride < count over s < num_steps, in blocks, to partials[quantity * num_threads + t];
/// add_up makes num_sums of the num_threads of each quantity; the host, or acceleration_factor, adds up those.
///
/// Quantity 0: I-divergence, sum of b - d + d log(d / b) over the data d with b = image + background, the logarithm
/// left out where d or b is below 1e-20; 1: sum of b. buffers: observed, image, scalars, partials. parameters: frame x
/// and y, begin, window x and y, count, row, num_threads, thread_stride, num_steps, step_stride.
extern const KernelSpec sum_divergence;
/// Quantity 2: sum of image, the proposed estimate; 3: sum of |image - estimate|. buffers: image, estimate, partials.
/// parameters: count, row, num_threads, thread_stride, num_steps, step_stride.
extern const KernelSpec sum_change;
/// With g = image - estimate: quantity 0: <g, gradient>; 1: <gradient, gradient>; 2: <g, image - previous>. buffers:
/// image, estimate, gradient, previous, partials. parameters: as sum_change.
extern const KernelSpec sum_products;
/// sums[q * num_sums + i] = sum of partials[q * num_partials + i + j * num_sums] over j. buffers: partials, sums.
/// parameters: num_sums, num_quantities, num_partials. threads: num_sums, num_quantities.
extern const KernelSpec add_up;

/// image = observed - background in the window, the start value where there is no datum, 0 outside. buffers: observed,
/// scalars, image. parameters: frame, begin, window.
extern const KernelSpec place_data;
/// response[0] = the real part of element `place` of the spectrum; the first is sum_of_psf times whatever scale the
/// device keeps spectra in. buffers: spectrum, response. parameters: place. threads: 1.
extern const KernelSpec remember_response;
/// The spectrum K of a PSF becomes conj(K) / (|K|^2 + noise * |K(0)|^2), in the device's scale; noise is above 0.
/// buffers: response, spectrum. parameters: count, row, noise, sum_of_psf.
extern const KernelSpec wiener_filter;

/// All of these.
const std::vector<const KernelSpec*>& of_deconvolution();

}  // namespace convoy::kernels
