// Outputs that are NaN: where the image is and NaN is preserved, where nothing is known, where what lies outside is
// NaN.
#pragma once

#include <vector>

#include "engine/scatter.hpp"
#include "engine/tile_geometry.hpp"
#include "engine/voxel_sums.hpp"

namespace convoy::inline v0 {

/// Whether a run may write NaN on purpose. Its outputs are never downloaded to where they belong.
bool makes_holes(const ConvolutionSpec& spec);

/// How often each tile is convolved: twice for complex images and for NonFinite::interpolate.
int num_parts(const ConvolutionSpec& spec, Element image);

/// The outputs of the tile that shall be NaN whatever the convolution gives: for preserve_nan, and where a constant of
/// NaN is seen with NonFinite::error. As voxels of the output port, in ascending order.
std::vector<Index> find_holes(const Plan& plan, const TileIndex& tile, const TileInput& input);

/// A tile's outputs on their way to where they belong, of one device.
template <class Real>
class HoledOutputs {
 public:
  HoledOutputs(const Plan& plan, const VoxelRules& rules) : plan_(plan), rules_(rules) {}

  /// Whether the tile's part only belongs to one that follows: then it is kept, and nothing is written.
  bool keeps(const TileIndex& tile) const { return plan_.spec.non_finite == NonFinite::interpolate && tile.part == 0; }
  void keep(const Real* port);

  /// Of the last part, when all of the port is there: divides what was kept by what is known, makes holes 0 and writes
  /// the outputs to the array, holes as NaN. `port` may be changed.
  OutputSums write(const TileOutputs& outputs, Real* port, std::vector<Index> holes, const MutableImageView& array);

 private:
  std::size_t port_voxels() const;
  void divide(const TileOutputs& outputs, const Real* missing, std::vector<Index>& holes);

  const Plan& plan_;
  const VoxelRules& rules_;
  std::vector<Real> kept_;
};

}  // namespace convoy::inline v0
