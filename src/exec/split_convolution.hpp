// A convolution whose transform is split in parts that are staged through host memory (plan/transform_split.hpp).
#pragma once

#include <memory>

#include "convoy/convolution.hpp"
#include "plan/transform_split.hpp"

namespace convoy {

/// The split, if this device can do without tiles what `transfer_bytes` (of the best tiles) would take over the bus.
std::optional<TransformSplit> cheaper_split(const ConvolutionSpec& spec, const Device& device,
                                            const PlanOptions& options, std::uint64_t transfer_bytes);

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
