// What lies outside an image, as positions inside it.
#pragma once

#include <vector>

#include "convoy/spec.hpp"

namespace convoy {

/// Position outside that holds no image voxel: it reads as 0 or as the constant.
inline constexpr Index kOutside = -1;

/// The image position that extended position `at` shows on an axis of n voxels, or kOutside.
Index source_position(Boundary boundary, Index at, Index n);

/// source_position of begin, begin + 1, ... begin + count - 1.
std::vector<Index> source_positions(Boundary boundary, Index begin, Index count, Index n);

/// The boundary that a spec's mode reads through: its own for same, wrap for circular, zero otherwise; zero too for the
/// adjoint, which adds up instead of reading (see fold in plan.hpp).
Boundary reading_boundary(const ConvolutionSpec& spec);

}  // namespace convoy
