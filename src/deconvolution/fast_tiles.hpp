// The tiles of Tiles::fast: their places, and what of them becomes output and is compared at the seams.
#pragma once

#include <array>
#include <vector>

#include "convoy/deconvolution.hpp"
#include "deconvolution/image_boxes.hpp"
#include "engine/scatter.hpp"
#include "engine/voxel_sums.hpp"

namespace convoy::inline v0 {

struct FastTile {
  Box whole;  ///< with its halo
  Box core;
};

/// Tile number t of tiling.num_tiles(), x fastest.
FastTile fast_tile(const FastTiling& tiling, const Shape& image, Index t);

/// Where the tile's core lies in the output, which is the region.
Box box_written(const FastTiling& tiling, const FastTile& tile);

/// Joins the restored tiles of an image, in ascending order; `scale` makes output voxels of theirs.
class TileJoiner {
 public:
  TileJoiner(BoxSink& output, const FastTiling& tiling, const OutputScale& scale);

  /// Writes the core, and compares the voxels next to it that earlier tiles restored, too. `restored` has the tile's
  /// whole box.
  template <class Real>
  void add(const FastTile& tile, const Real* restored);
  void add(const FastTile& tile, const std::vector<std::byte>& restored, Element element);
  /// In place of add(), for a tile whose core the output holds: seams with it are not compared.
  void pass_over(const FastTile& tile);

  const OutputSums& sums() const { return sums_; }
  SeamError seam() const;

 private:
  /// Across an axis: the last layer of the cores before, as restored, NaN where it is not known. Dense, over the axes
  /// below this one whole and over those above as long as a core.
  struct Sheet {
    Shape size;
    std::vector<double> values;

    double& at(Index z, Index y, Index x) {
      return values[static_cast<std::size_t>(((z % size.z) * size.y + y % size.y) * size.x + x % size.x)];
    }
  };

  template <class Real>
  void compare(const FastTile& tile, int axis, const Real* restored);
  template <class Real>
  void keep(const FastTile& tile, int axis, const Real* restored);

  BoxSink& output_;
  const FastTiling tiling_;
  OutputScale scale_;
  std::array<Sheet, 3> sheets_;
  OutputSums sums_;
  SeamError seam_;
  double squared_difference_ = 0;
  double squared_value_ = 0;
};

}  // namespace convoy::inline v0
