// The tiles of Tiles::fast: cut out of the image, put together in the output, compared at the seams.
#pragma once

#include <cstddef>
#include <vector>

#include "convoy/deconvolution.hpp"
#include "engine/scatter.hpp"
#include "engine/voxel_sums.hpp"

namespace convoy {

struct FastTile {
  Box whole;  ///< with its halo
  Box core;
};

/// Tile number t of tiling.num_tiles(), x fastest.
FastTile fast_tile(const FastTiling& tiling, const Shape& image, Index t);

/// The box's voxels, in `storage`, of a dense image.
ImageView cut(const ImageView& image, const Box& box, std::vector<std::byte>& storage);

/// Joins restored tiles, in ascending order; `scale` makes output voxels of theirs.
class TileJoiner {
 public:
  TileJoiner(const MutableImageView& output, const OutputScale& scale) : output_(output), scale_(scale) {}

  /// Writes the core, and compares the voxels next to it that earlier tiles wrote. `restored` has the tile's whole box.
  template <class Real>
  void add(const FastTile& tile, const Real* restored);

  const OutputSums& sums() const { return sums_; }
  SeamError seam() const;

 private:
  template <class Real>
  void compare(const FastTile& tile, const Box& layer, const Real* restored);

  MutableImageView output_;
  OutputScale scale_;
  OutputSums sums_;
  SeamError seam_;
  double squared_difference_ = 0;
  double squared_value_ = 0;
};

}  // namespace convoy
