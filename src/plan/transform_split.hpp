// The second way to convolve beyond a device's memory: the transform itself is split, not the image. There is no halo,
// so that a kernel nearly as large as the image costs no more than a small one.
#pragma once

#include <optional>

#include "convoy/plan.hpp"

namespace convoy {

/// With z padded to P = d * m, decimation in frequency (Karas and Svoboda 2011) makes one circular convolution of
/// period P into d complex ones of period m along z:
///   x_r[i] = sum over z = i mod m of x[z] exp(-2 pi i r z / P)          (and k_r of the kernel), 0 <= r < d
///   y[z]   = 1 / d sum over r of exp(2 pi i r z / P) (x_r * k_r)[z mod m]
/// Of real images r and d - r are conjugates. d is odd, so that only r = 0, which is real, stands alone.
struct TransformSplit {
  Plan whole;                        ///< one tile of the whole, padded; device axes are x, y, z; no memory is planned
  Index num_parts = 1;               ///< d
  ConvolutionSpec part;              ///< circular, of the padded plane and m along z
  Plan part_plan;                    ///< one tile
  std::uint64_t transfer_bytes = 0;  ///< host <-> device bytes of one run, spectra made anew included
  std::uint64_t host_bytes = 0;      ///< host memory of a run, the caller's images not counted

  /// Real convolutions of a run: a complex one takes three.
  Index num_passes() const { return 1 + 3 * (num_parts / 2); }
};

/// The fewest parts that fit. Nothing if there are none, if the host's memory is too small, if z is no longer than a
/// few voxels, or for an adjoint whose output is folded (Plan::fold_output). The spec must be valid, its origin
/// resolved.
std::optional<TransformSplit> split_transform(const ConvolutionSpec& spec, const Limits& limits,
                                              const PlanOptions& options);

}  // namespace convoy
