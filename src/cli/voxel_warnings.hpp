// What the voxels of a convolution gave reason to warn of.
#pragma once

#include <string>
#include <vector>

#include "convoy/convolution.hpp"

namespace convoy::cli {

/// One line each: voxels that were clipped, replaced or rounded, and errors that a large offset or a large voxel
/// leaves.
std::vector<std::string> voxel_warnings(const RunReport& run, Precision precision, NonFinite non_finite,
                                        Element output);

}  // namespace convoy::cli
