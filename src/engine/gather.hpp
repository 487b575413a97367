// From the caller's image to a tile's port.
#pragma once

#include <functional>

#include "convoy/image.hpp"
#include "engine/tile_geometry.hpp"
#include "engine/voxel_sums.hpp"

namespace convoy::inline v0 {

/// Called as soon as a piece of the port is filled, by one thread at a time.
using PieceFilled = std::function<void(int piece)>;

/// Fills `port` with the tile's input: extent reals in device order, the extended image where the plan reads it, zero
/// elsewhere. `Real` is the plan's precision. Non-finite voxels become 0 if the spec says so, and so do those that the
/// rules take as missing, and what lies outside where that is NaN. The sums are those of the tile's own voxels.
template <class Real>
InputSums gather_tile(const Plan& plan, const TileInput& input, const VoxelRules& rules, Real* port,
                      const PieceFilled& filled = {});

/// The same with 1 for what is missing (NonFinite::interpolate) and 0 for all else; without sums.
template <class Real>
void gather_missing(const Plan& plan, const TileInput& input, const VoxelRules& rules, Real* port,
                    const PieceFilled& filled = {});

/// The sums alone.
InputSums sum_own_voxels(const Plan& plan, const TileInput& input, const VoxelRules& rules);

}  // namespace convoy::inline v0
