// A convolution whose transform is split in parts that are staged through host memory (plan/transform_split.hpp).
#pragma once

#include <memory>

#include "convoy/convolution.hpp"
#include "plan/transform_split.hpp"

namespace convoy {

/// The split, if this device should do that in place of `tiles`: when these do not fit (null), or would take longer
/// over the bus than the parts with the host's sums. Not where tiles of some kind are asked for, nor for resident
/// images.
std::optional<TransformSplit> better_split(const ConvolutionSpec& spec, const Device& device,
                                           const PlanOptions& options, const Plan* tiles);

/// What it tells of itself: sizes and memory of a part, bytes of the whole.
Plan plan_of(const TransformSplit& split);

class SplitConvolution {
 public:
  virtual ~SplitConvolution() = default;
  virtual const Plan& plan() const = 0;
  /// All of the report but elapsed_seconds; its tiles are the passes. Throws what Convolver::run throws.
  virtual RunReport run(const ImageView& image, const MutableImageView& output) = 0;
  /// The same; image and sums are in memory as a whole.
  virtual RunReport run(const ImageReader& image, ImageWriter& output) = 0;
};

/// `kernel` may go afterwards.
std::unique_ptr<SplitConvolution> make_split_convolution(const TransformSplit& split, const ImageView& kernel,
                                                         double scale, const Device& device,
                                                         const ConvolverOptions& options);

}  // namespace convoy
