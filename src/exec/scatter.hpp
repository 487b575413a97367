// From a tile's port to the caller's output.
#pragma once

#include <functional>

#include "convoy/image.hpp"
#include "exec/tile_axes.hpp"
#include "exec/voxel_sums.hpp"

namespace convoy {

/// Called before a piece of the port is read, by one thread at a time and in ascending order; returns when it is there.
using AwaitPiece = std::function<void(int piece)>;

/// Writes the tile's output voxels from `port` (rows of extent[0] reals, device order) to the output.
template <class Real>
OutputSums scatter_tile(const Plan& plan, const TileIndex& tile, const Real* port, const MutableImageView& output,
                        const AwaitPiece& await = {});

/// The sums alone, of a tile that was downloaded to where it belongs.
template <class Real>
OutputSums sum_output_voxels(const Plan& plan, const TileIndex& tile, const ImageView& output, const AwaitPiece& await);

/// Adds the tile's raw output to `sums` (image shape), each voxel where the boundary maps it: the adjoint of reading
/// through a boundary.
template <class Real>
void fold_tile(const Plan& plan, const TileIndex& tile, const Real* port, Real* sums);

/// The folded sums as output voxels.
template <class Real>
OutputSums write_folded(const Plan& plan, const Real* sums, const MutableImageView& output);

}  // namespace convoy
