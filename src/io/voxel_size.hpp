// Voxel sizes as files give them: missing, 0, negative, not a number, in several units.
#pragma once

#include <array>
#include <string>

#include "convoy/io.hpp"

namespace convoy::io {

/// What readers put into VoxelSize for a length that the file gives: 0 becomes NaN, as 0 there means that the file
/// gives none.
double given_length(double length);

/// The voxel size of lengths in units of their own (z, y, x; given_length's or 0), in the unit of x, or of the first
/// axis that has a length. What cannot be converted is left out, with a warning.
VoxelSize voxel_size_in_one_unit(const std::array<double, 3>& lengths, const std::array<std::string, 3>& units,
                                 std::vector<std::string>& warnings);

/// Makes the lengths finite and not negative, with a warning for each that was not along an axis of several
/// voxels, or takes `instead`. Throws
/// Error(invalid_argument) if that has negative or non-finite lengths.
void settle_voxel_size(const Shape& shape, ImageMetadata& metadata, const std::optional<VoxelSize>& instead);

}  // namespace convoy::io
