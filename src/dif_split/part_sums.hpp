// The host's half of a split transform (dif_split/plan.hpp): sums of voxels that make a part, and shares of its
// convolution that make the output.
#pragma once

#include <array>
#include <vector>

#include "convoy/image.hpp"
#include "dif_split/plan.hpp"
#include "engine/voxel_sums.hpp"

namespace convoy::inline v0 {

/// What one of the split's convolutions takes of image and kernel, and gives to the output, at each position of the
/// split axis' period.
template <class Real>
struct PartWeights {
  std::vector<Real> taken;
  std::vector<Real> given;
};
/// Number n of split.num_convolutions().
template <class Real>
PartWeights<Real> part_weights(const TransformSplit& split, Index n);

/// Image or kernel, laid out over the padded whole.
struct PartSource {
  ImageView voxels;
  std::array<std::vector<Index>, 3> positions;  ///< by image axis: what each position of the period shows, or kOutside,
                                                ///< or kPadding
  double outside = 0;                           ///< what kOutside reads as
  bool zeroes_non_finite = false;
  VoxelRules rules;  ///< of these, what marks missing data
};
PartSource part_source_of_image(const TransformSplit& split, const ImageView& image);
/// `kernel`: as the device is given it (AxisPlan).
PartSource part_source_of_kernel(const TransformSplit& split, const ImageView& kernel);

/// Fills `part`, of the part's shape.
template <class Real>
void sum_part(const TransformSplit& split, const PartSource& source, const std::vector<Real>& taken, Real* part);

/// Adds to `sums`, of the output's shape.
template <class Real>
void add_share(const TransformSplit& split, const Real* part, const std::vector<Real>& given, Real* sums);

}  // namespace convoy::inline v0
