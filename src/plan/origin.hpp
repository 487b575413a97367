// Where the kernel's origin is: the voxel that lies on the output voxel.
#pragma once

#include "convoy/image.hpp"
#include "convoy/spec.hpp"

namespace convoy {

/// Whether the spec's origin has a meaning: in same and circular.
bool has_origin(const ConvolutionSpec& spec);

/// Index of the origin per axis of the kernel as given. `kernel` is read by Rule::peak only: its largest voxel, the
/// first of equals in z, y, x order. Throws Error(invalid_argument) for Rule::peak without a kernel.
Shape resolve_origin(const ConvolutionSpec& spec, const ImageView* kernel);

}  // namespace convoy
