// Kernels that look at data which lie on the device already: what the host finds out about data in its own memory
// (deconvolution/observed_data.hpp), without being asked.
#pragma once

#include <vector>

#include "kernels/kernel_spec.hpp"

namespace convoy::kernels {

/// Places in the buffer `units`.
namespace units {
inline constexpr int unit = 0;     ///< of the device's numbers: a power of two near the data's mean magnitude
inline constexpr int inverse = 1;  ///< 1 / unit
inline constexpr int mean = 2;     ///< of the data, in the unit
inline constexpr int output = 3;   ///< what makes output voxels of the device's numbers
inline constexpr int data = 4;     ///< how many there are
inline constexpr int count = 5;
}  // namespace units

/// What take_scalars makes of the start.
enum class StartRule { flat, image, automatic, value, mean };

/// Voxels that are NaN, infinite or not below the saturation are no data; with keeps_negative 0, those below 0 count
/// as 0. First stages of sums over the voxels of a box (begin, size) of the window, as sum_divergence:
/// sums, sums of magnitudes, and numbers of data. buffers: observed, partials. parameters: window_x, window_y, begin,
/// size_x, size_y, saturation (high, low), keeps_negative, then those of sums.
extern const KernelSpec sum_data;
/// Squares of the data's distances from their mean, squares of their fourth differences along an axis of the box where
/// all five are data, and the number of these; in the unit. buffers: observed, units, partials. parameters: window_x,
/// window_y, begin, size_x, size_y, saturation, keeps_negative, axis, back (elements from one voxel to the one before
/// it along the axis), then those of sums.
extern const KernelSpec sum_noise;
/// From the added-up sums of sum_data. buffers: sums, units. parameters: num_sums, background (high, low), scale (high,
/// low; of the output in units). threads: 1.
extern const KernelSpec take_units;
/// kernels::scalars from units and, with StartRule::automatic, the added-up sums of sum_noise. buffers: sums, units,
/// scalars. parameters: num_sums, start_rule, background,
/// start, step (high, low each), least_start_part, least_blurred_part, softness_part, least_threshold, highest_start.
/// threads: 1.
extern const KernelSpec take_scalars;
/// Voxels of the window in the unit, and -1e30 where there is no datum. buffers: units, observed. parameters: count,
/// row, saturation, keeps_negative.
extern const KernelSpec admit;
/// voxels *= units[output]. buffers: units, voxels. parameters: count, row.
extern const KernelSpec in_units;

/// All of these.
const std::vector<const KernelSpec*>& of_data();

}  // namespace convoy::kernels
