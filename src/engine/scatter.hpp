// From a tile's port to the caller's output.
#pragma once

#include <functional>

#include "convoy/image.hpp"
#include "engine/tile_geometry.hpp"
#include "engine/voxel_sums.hpp"

namespace convoy::inline v0 {

/// Called before a piece of the port is read, by one thread at a time and in ascending order; returns when it is there.
using AwaitPiece = std::function<void(int piece)>;

/// By device axis: where the tile's output begins in an array, and how much of it.
using TileOutputs = std::array<AxisOutputs, 3>;

/// What output voxels are of the device's numbers: `factor` times as large, then clipped. With a factor, voxels beyond
/// the range of a floating-point output are clipped to it, and counted, as those of integers are.
struct OutputScale {
  double factor = 1;
  double lowest = -std::numeric_limits<double>::infinity();
  double highest = std::numeric_limits<double>::infinity();

  bool clips() const { return std::isfinite(lowest) || std::isfinite(highest); }
  bool changes() const { return factor != 1 || clips(); }
};

/// Writes the tile's output voxels from `port` (rows of extent[0] reals, device order) to their place in an array.
template <class Real>
OutputSums scatter_tile(const Plan& plan, const TileOutputs& outputs, const Real* port, const MutableImageView& array,
                        const AwaitPiece& await = {}, const OutputScale& scale = {});

/// The sums alone, of a tile that was downloaded to where it belongs.
template <class Real>
OutputSums sum_output_voxels(const Plan& plan, const TileOutputs& outputs, const ImageView& array,
                             const AwaitPiece& await);

/// Adds the tile's raw output to `sums` (shape of the output), each voxel where the boundary maps it: the adjoint of
/// reading through a boundary.
template <class Real>
void fold_tile(const Plan& plan, const TileIndex& tile, const Real* port, Real* sums);

/// Folded sums as output voxels: as many as `output` has, from `sums` on, image by image.
template <class Real>
OutputSums write_folded(const Real* sums, const MutableImageView& output);

}  // namespace convoy::inline v0
