// A convolution whose transform is split in parts that are staged through host memory (dif_split/plan.hpp).
#pragma once

#include <memory>
#include <vector>

#include "convoy/convolution.hpp"
#include "dif_split/plan.hpp"
#include "engine/filter.hpp"
#include "engine/voxel_sums.hpp"

namespace convoy::inline v0 {

/// The split, if these devices should do that in place of `tiles` (better_split() of the plan); small enough for all of
/// those that would gain from it.
std::optional<TransformSplit> better_split(const ConvolutionSpec& spec, const std::vector<Device>& devices,
                                           const PlanOptions& options, const Plan* tiles);

class SplitConvolution {
 public:
  virtual ~SplitConvolution() = default;
  virtual const Plan& plan() const = 0;
  virtual const VoxelRules& rules() const = 0;
  /// All of the report but elapsed_seconds; its tiles are the convolutions of parts, which the devices share. Throws
  /// what Convolver::run throws.
  virtual RunReport run(const ImageView& image, const MutableImageView& output) = 0;
  /// The same; image and sums are in memory as a whole.
  virtual RunReport run(const ImageReader& image, ImageWriter& output) = 0;
};

/// `kernel` may go afterwards; `options` must outlive what is returned, which looks at them in every run. When the
/// devices have less memory than they said, splits again, a few times. Throws as prepare_devices().
std::unique_ptr<SplitConvolution> make_split_convolution(const TransformSplit& split, const ImageView& kernel,
                                                         const FilterScale& scale, const std::vector<Device>& devices,
                                                         const ConvolverOptions& options);

}  // namespace convoy::inline v0
