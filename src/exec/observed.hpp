// The observed image as a deconvolution's data: what counts as a datum, and where it goes.
#pragma once

#include <optional>

#include "convoy/deconvolution.hpp"

namespace convoy {

/// What the image's voxels turned out to be.
struct ObservedCounts {
  double sum = 0;          ///< over the data
  Index data = 0;          ///< voxels that have one
  Index non_finite = 0;    ///< NaN and infinite, not masked
  Index saturated = 0;     ///< not masked
  Index negative = 0;      ///< data below 0, taken as 0
  double negative_sum = 0;
  Index first_non_finite;  ///< linear position, if there is one
};

/// Looks at every voxel. `mask`, if given, has the image's shape; 0 says that there is no datum.
ObservedCounts inspect(const DeconvolutionSpec& spec, const ImageView& image, const std::optional<ImageView>& mask);

/// Fills the port, laid out as `layout` says, with the window: data, those below 0 as 0 (Compatibility::skimage and
/// Wiener take them as they are), and -1e30 where there is none. Edges::reflect reads the image by reflection. `Real`
/// is the plan's precision.
template <class Real>
void write_observed(const DeconvolutionPlan& plan, const Plan& layout, const ImageView& image,
                    const std::optional<ImageView>& mask, Real* port);

}  // namespace convoy
