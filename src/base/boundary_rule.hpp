// What lies outside an image, as positions inside it: the one place that knows what each Boundary means. Planner, host
// and GPU kernels compute with the rule's numbers.
#pragma once

#include <vector>

#include "convoy/spec.hpp"

namespace convoy::inline v0 {

/// Position outside that holds no image voxel: it reads as 0 or as the constant.
inline constexpr Index kOutside = -1;

/// How an axis of `size` voxels goes on outside.
struct BoundaryRule {
  /// The numbers are those that kernels are given.
  enum class Kind : std::uint32_t {
    outside = 0,  ///< no image voxels: kOutside
    clamped = 1,  ///< the nearest voxel of the edge
    periodic = 2  ///< the same again every `period` positions
  };
  Kind kind = Kind::outside;
  Index size = 1;
  Index period = 1;
  /// Position p of a period shows voxel p below `size`, and voxel `offset` - p (modulo the period) from there on.
  Index offset = 0;
  bool mirrored = false;  ///< the period is longer than the image, except where an edge is its own reflection

  /// The image position that extended position `at` shows, or kOutside.
  Index source_of(Index at) const;
  bool operator==(const BoundaryRule&) const = default;
};

BoundaryRule boundary_rule(Boundary boundary, Index size);

/// Whether the extended image shows voxels other than all of them equally often, so that its adjoint has to add up.
bool repeats_unevenly(Boundary boundary);
/// Whether the extended image is the image again and again, as a transform of the image's own length has it.
bool repeats_evenly(Boundary boundary);

/// What begin, begin + 1, ... begin + count - 1 show on an axis of `size` voxels.
std::vector<Index> source_positions(Boundary boundary, Index begin, Index count, Index size);

/// The boundary that a spec's mode reads through: its own for same, wrap for circular, zero otherwise; zero too for the
/// adjoint, which adds up instead of reading (see fold in plan.hpp).
Boundary reading_boundary(const ConvolutionSpec& spec);

}  // namespace convoy::inline v0
