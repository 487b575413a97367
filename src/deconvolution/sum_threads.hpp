// How sums over images are shared out among threads (the stages: kernels/deconvolution_kernels.hpp).
#pragma once

#include "convoy/deconvolution.hpp"

namespace convoy::inline v0 {

/// Sums of one quantity that the host adds up at last.
inline constexpr Index kSumsPerQuantity = 256;
/// Divergence and modelled flux, total and change.
inline constexpr Index kNumQuantities = 4;
/// Dot products of which the acceleration factor is made.
inline constexpr Index kNumProducts = 3;
/// Values that kernels read and the host knows only when it has seen the data (kernels/deconvolution_kernels.hpp).
inline constexpr Index kNumScalars = 10;

/// Threads of the first stage: a multiple of kSumsPerQuantity.
Index num_sum_threads(const Limits& limits, Index voxels);

/// Reals in all slots of a deconvolution's program that hold no image.
Index num_scalar_reals(const DeconvolutionSpec& spec, const Limits& limits, Index frame_voxels);

/// The voxels of each thread. On a GPU neighbouring threads take neighbouring voxels, so that accesses coalesce; on a
/// CPU a thread takes voxels side by side.
struct SumSchedule {
  Index num_threads = 1;
  Index row = 1;  ///< threads of a row of the grid
  Index thread_stride = 1;
  Index num_steps = 1;
  Index step_stride = 1;
};
SumSchedule sum_schedule(const Limits& limits, Index num_threads, Index voxels);

}  // namespace convoy::inline v0
