// From the caller's image to a tile's port, and from a port to the caller's output.
#pragma once

#include <array>

#include "convoy/image.hpp"
#include "convoy/plan.hpp"

namespace convoy {

/// Place of a tile in the plan's grid, per image axis (z, y, x).
using TileIndex = std::array<Index, 3>;

/// Tile number t of plan.num_tiles(), x fastest.
TileIndex tile_index(const Plan& plan, Index t);

/// Distance in voxels between neighbours along each device axis, in a dense array of `shape`.
std::array<Index, 3> device_strides(const Plan& plan, const Shape& shape);

/// Fills `port` with the tile's input: extent reals in device order, the extended image where the plan reads it, zero
/// elsewhere. `Real` is the plan's precision. Non-finite voxels become 0 if the spec says so.
template <class Real>
void gather_tile(const Plan& plan, const ImageView& image, const TileIndex& tile, Real* port);

/// What writing an output revealed.
struct OutputSums {
  double sum = 0;
  Index saturated = 0;
};

/// Writes the tile's output voxels from `port` (rows of extent[0] reals, device order) to the output.
template <class Real>
OutputSums scatter_tile(const Plan& plan, const TileIndex& tile, const Real* port, const MutableImageView& output);

/// Adds the tile's raw output to `sums` (image shape), each voxel where the boundary maps it: the adjoint of reading
/// through a boundary.
template <class Real>
void fold_tile(const Plan& plan, const TileIndex& tile, const Real* port, Real* sums);

/// The folded sums as output voxels.
template <class Real>
OutputSums write_folded(const Plan& plan, const Real* sums, const MutableImageView& output);

/// Sum of all voxels, and the non-finite ones among them (left out of the sum).
struct InputSums {
  double sum = 0;
  Index non_finite = 0;
  Index first_non_finite = 0;  ///< linear position, if there is one
};
InputSums scan(const ImageView& image);

}  // namespace convoy
