// Where the kernel's origin is: the voxel that lies on the output voxel.
#pragma once

#include "convoy/plan.hpp"

namespace convoy::inline v0 {

/// Whether the spec's origin has a meaning: in same and circular.
bool has_origin(const ConvolutionSpec& spec);

/// Whether the device is given the kernel mirrored on every axis.
inline bool mirrors_kernel(Operation operation) { return operation != Operation::convolve; }

}  // namespace convoy::inline v0
