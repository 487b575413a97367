// Where a tile lies: what it reads of the image and what it writes of the output, axis by axis and box by box.
#pragma once

#include <array>
#include <vector>

#include "convoy/image.hpp"
#include "convoy/plan.hpp"

namespace convoy::inline v0 {

/// Place of a tile in the plan's grid, per image axis (z, y, x), and the image of the batch that it is of. Where a tile
/// is convolved more than once, the number of the time: real and imaginary part of a complex image, or (for
/// NonFinite::interpolate) what voxels there are and which of them are missing.
struct TileIndex {
  std::array<Index, 3> in_grid{};
  Index image = 0;  ///< with several kernels, the group of images and outputs (KernelFan)
  int part = 0;

  Index operator[](std::size_t axis) const { return in_grid[axis]; }
};

/// Tile number t, x fastest and images slowest.
TileIndex tile_index(const Plan& plan, Index t);

/// Distance in voxels between neighbours along each device axis, in a dense array of `shape`, and in an array at the
/// distances that it says.
std::array<Index, 3> device_strides(const Plan& plan, const Shape& shape);
std::array<Index, 3> device_strides(const Plan& plan, const ImageView& array);

const AxisPlan& device_axis(const Plan& plan, int d);

/// Beyond the tile's input: always 0.
inline constexpr Index kPadding = -2;

/// What a tile reads along one device axis.
struct AxisSources {
  std::vector<Index> positions;  ///< the image position that each of `extent` shows, kOutside or kPadding
  Index run_begin = 0;           ///< [run_begin, run_end) shows neighbours side by side, nearly always most of the axis
  Index run_end = 0;
  Index own_begin = 0;  ///< the part of the run that no tile before this one shows
  Index own_end = 0;

  Index extent() const { return static_cast<Index>(positions.size()); }
  bool owns(Index at) const { return at >= own_begin && at < own_end; }
};

/// What a tile reads, and where that lies.
struct TileInput {
  ImageView voxels;                    ///< the image, or the part of it that the tile shows
  std::array<AxisSources, 3> sources;  ///< by device axis; their positions are those in `voxels`
  std::array<Index, 3> own_begin{};    ///< by device axis: image position of the first voxel that the tile owns
};

/// By device axis. The tiles' own boxes make up the image: each voxel is in exactly one.
std::array<AxisSources, 3> tile_sources(const Plan& plan, const TileIndex& tile);
TileInput input_from_image(const Plan& plan, const ImageView& image, const TileIndex& tile);

/// The outputs of a tile on one device axis: position of the first, and how many lie inside the output.
struct AxisOutputs {
  Index begin = 0;
  Index count = 0;
};
std::array<AxisOutputs, 3> tile_outputs(const Plan& plan, const TileIndex& tile);
/// The same by image axis.
Box output_box_of(const Plan& plan, const TileIndex& tile);

/// Of a tile's transfers: layers of the last transformed axis.
struct Pieces {
  Index layers = 1;        ///< of the tile, in all pieces
  Index piece_layers = 1;  ///< in each but the last
  Index rows_a_layer = 1;

  int count() const { return static_cast<int>((layers + piece_layers - 1) / piece_layers); }
  int of_row(Index row) const { return static_cast<int>(row / rows_a_layer / piece_layers); }
  Index begin_layer(int piece) const { return piece * piece_layers; }
  Index end_layer(int piece) const { return std::min(layers, (piece + 1) * piece_layers); }
};
/// Of the input port's rows, and of the output port's.
Pieces input_pieces(const Plan& plan);
Pieces output_pieces(const Plan& plan);

/// Of an image: read from there, put here.
struct PlacedBox {
  Box from;
  Shape to;  ///< position of its first voxel in the buffer
};

/// All positions that a tile shows, each once: a dense buffer that boxes of the image are put into.
struct TileCover {
  Shape shape;  ///< of the buffer
  std::vector<PlacedBox> boxes;
  TileInput input;  ///< without voxels
};

/// Nearly always one box; where a boundary wraps or reflects, a tile may show distant parts of an axis.
TileCover cover_of(const Plan& plan, const TileIndex& tile);

/// Bytes of the largest buffer that a tile of the plan asks for, if its voxels take so many.
std::uint64_t largest_cover_bytes(const Plan& plan, std::uint64_t voxel_bytes);

/// The box in slabs of about `slab_voxels`, of the first axis that has more than one position and cut at multiples of
/// the chunk. Slabs of a box that spans the buffer's other axes are dense in it.
std::vector<PlacedBox> slabs_of(const PlacedBox& box, const Shape& chunk, Index slab_voxels);

/// Whether the box's voxels follow each other without gaps in a buffer of that shape.
bool is_dense_in(const Shape& buffer, const PlacedBox& box);

}  // namespace convoy::inline v0
