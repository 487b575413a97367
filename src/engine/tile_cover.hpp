// Which boxes of an image a tile shows, and where they lie side by side in memory.
#pragma once

#include <vector>

#include "engine/tile_axes.hpp"

namespace convoy {

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

}  // namespace convoy
