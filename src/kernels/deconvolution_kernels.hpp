// The point-wise steps and sums of Richardson-Lucy deconvolution.
//
// The unknowns live on a frame, of which the observed image shows a window: frame_*, begin_*, window_* tell sizes and
// the window's first voxel. observed holds the window's voxels, tight; a negative one tells that there is no datum.
// scalars: 0 the start value, 1 the least start value, 2 the least blurred value, 3 the background.
// Kernels over count elements take element thread_y * row + thread_x. Negative results of transforms, which are
// rounding errors, count as 0.
#pragma once

#include "kernels/kernel_spec.hpp"

namespace convoy::kernels {

/// image = 1 where there is a datum, 0 elsewhere. buffers: observed, image. parameters: frame, begin, window (x, y, z).
extern const KernelSpec indicate;
/// weights = 1 / image, 0 where image <= least. buffers: image, weights. parameters: count, row, least.
extern const KernelSpec invert_weights;
/// estimate = image = the start value, or with from_observed 1 the observed voxel less the background, where there is
/// one; 0 where weights are 0. buffers: observed, weights, scalars, estimate, image. parameters: frame, begin, window,
/// from_observed.
extern const KernelSpec start_estimate;
/// image = observed / (image + background), 0 where there is no datum. buffers: observed, scalars, image. parameters:
/// frame, begin, window.
extern const KernelSpec ratio;
/// estimate = image = estimate * image * weights. buffers: weights, estimate, image. parameters: count, row.
extern const KernelSpec update_estimate;
/// cropped = the box of `size` voxels of the frame from `begin` on, tight. buffers: estimate, cropped. parameters:
/// frame, begin, size.
extern const KernelSpec crop;

/// Sums are taken in three stages, so that every order of threads gives the same result: thread t adds up elements
/// t * thread_stride + s * step_stride < count over s < num_steps, in blocks, to partials[quantity * num_threads + t];
/// add_up makes num_sums of the num_threads of each quantity; the host adds up those.
///
/// Quantity 0: I-divergence, sum of b - d + d log(d / b) over the data d with b = image + background; quantity 1: sum
/// of b. buffers: observed, image, scalars, partials. parameters: frame, begin, window x and y, count, row,
/// num_threads, thread_stride, num_steps, step_stride.
extern const KernelSpec sum_divergence;
/// Quantity `first`: sum of the estimate that update_estimate will make; first + 1: sum of |it - estimate|. buffers:
/// image, weights, estimate, partials. parameters: count, row, num_threads, thread_stride, num_steps, step_stride,
/// first.
extern const KernelSpec sum_change;
/// sums[q * num_sums + i] = sum of partials[q * num_partials + i + j * num_sums] over j. buffers: partials, sums.
/// parameters: num_sums, num_quantities, num_partials. threads: num_sums, num_quantities.
extern const KernelSpec add_up;

/// All of these.
const std::vector<const KernelSpec*>& of_deconvolution();

}  // namespace convoy::kernels
