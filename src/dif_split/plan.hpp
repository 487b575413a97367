// The second way to convolve beyond a device's memory: the transform itself is split, not the image. There is no halo,
// so that a kernel nearly as large as the image costs no more than a small one.
#pragma once

#include <optional>

#include "convoy/plan.hpp"

namespace convoy::inline v0 {

/// With one axis (a, of positions i) padded to P = d * m, decimation in frequency (Karas and Svoboda 2011) makes one
/// circular convolution of period P into d complex ones of period m along that axis:
///   x_r[j] = sum over i = j mod m of x[i] w^(r i)  with w = exp(-2 pi i / P)      (and k_r of the kernel), 0 <= r < d
///   y[i]   = 1 / d sum over r of w^(-r i) (x_r * k_r)[i mod m]
/// Of real images r and d - r are conjugates. d is odd, so that only r = 0, which is real, stands alone. Every other r
/// takes three real convolutions (Gauss), each of which adds its share to the output; no two depend on each other.
struct TransformSplit {
  int axis = 0;                       ///< of the image, whose transform is split
  Plan whole;                         ///< one tile of the whole, padded; device axes are x, y, z; no memory is planned
  Index num_parts = 1;                ///< d
  ConvolutionSpec part;               ///< circular, of the padded image with m in place of P
  Plan part_plan;                     ///< one tile
  std::uint64_t footprint_bytes = 0;  ///< of one part on its device
  std::uint64_t transfer_bytes = 0;   ///< host <-> device bytes of one run, spectra made anew included
  std::uint64_t host_bytes = 0;       ///< host memory of a run, the caller's images not counted
  double seconds = 0;                 ///< predicted, of one run, as run_seconds() of a plan

  Index num_convolutions() const { return 1 + 3 * (num_parts / 2); }
};

/// Of the axes the one that promises the least time, in the fewest parts that fit; of several devices
/// (PlanOptions::num_devices) each gets a convolution at least. Nothing if no part fits, if the host's memory is too
/// small, if all axes are only a few voxels long, or for an adjoint whose output is folded (Plan::fold_output). The
/// spec must be valid, its origin resolved.
std::optional<TransformSplit> split_transform(const ConvolutionSpec& spec, const Limits& limits,
                                              const PlanOptions& options);

/// The same, if it takes the place of `tiles`: when there are none that the device can do (null), or they are predicted
/// to take clearly longer. Not where tiles of some kind are asked for, nor for images that lie on the device; with
/// Tune::off only where tiles do not fit.
std::optional<TransformSplit> better_split(const ConvolutionSpec& spec, const Limits& limits,
                                           const PlanOptions& options, const Plan* tiles);

/// Whether better_split() would look for any: devices need not be asked for their limits if not.
bool split_may_be_better(const ConvolutionSpec& spec, const PlanOptions& options, const Plan* tiles);

/// As the plan that is reported: sizes and memory of a part, bytes and time of the whole.
Plan plan_of(const TransformSplit& split);

/// Plan::num_pieces() of what: "tiles" or "convolutions of parts".
const char* name_of_pieces(const Plan& plan);

/// make_plan(), or the split that takes its place. Throws what make_plan() throws.
Plan plan_tiles_or_split(const ConvolutionSpec& spec, const Limits& limits, const PlanOptions& options);

}  // namespace convoy::inline v0
