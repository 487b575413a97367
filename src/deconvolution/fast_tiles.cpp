#include "deconvolution/fast_tiles.hpp"

#include <cmath>
#include <cstring>

#include "engine/scatter.hpp"

namespace convoy {
namespace {

Index linear(const Shape& shape, Index z, Index y, Index x) { return (z * shape.y + y) * shape.x + x; }

/// Calls body(z, y) for each row of the box.
template <class Body>
void for_each_row(const Box& box, const Body& body) {
  for (Index z = box.begin.z; z < box.begin.z + box.size.z; ++z) {
    for (Index y = box.begin.y; y < box.begin.y + box.size.y; ++y) body(z, y);
  }
}

/// The tile as scatter_tile() takes it.
Plan layout_of(const Shape& tile) {
  Plan layout;
  for (int axis = 0; axis < 3; ++axis) {
    AxisPlan& of = layout.axes[static_cast<std::size_t>(axis)];
    of.extent = of.tile_output = of.tile_input = tile[axis];
    layout.piece_extent = std::max(layout.piece_extent, tile[axis]);
  }
  return layout;
}

}  // namespace

FastTile fast_tile(const FastTiling& tiling, const Shape& image, Index t) {
  const Shape& counts = tiling.counts;
  const Shape place{t / (counts.y * counts.x), t / counts.x % counts.y, t % counts.x};
  FastTile tile;
  for (int axis = 0; axis < 3; ++axis) {
    const Index begin = place[axis] * tiling.core[axis];
    tile.core.begin[axis] = begin;
    tile.core.size[axis] = std::min(tiling.core[axis], image[axis] - begin);
    tile.whole.begin[axis] = std::clamp<Index>(begin - tiling.halo[axis], 0, image[axis] - tiling.tile[axis]);
    tile.whole.size[axis] = tiling.tile[axis];
  }
  return tile;
}

ImageView cut(const ImageView& image, const Box& box, std::vector<std::byte>& storage) {
  const std::size_t voxel_bytes = size_of(image.element);
  const std::size_t row_bytes = static_cast<std::size_t>(box.size.x) * voxel_bytes;
  storage.resize(static_cast<std::size_t>(num_voxels(box.size)) * voxel_bytes);
  const auto* const voxels = static_cast<const std::byte*>(image.data);
  std::byte* to = storage.data();
  for_each_row(box, [&](Index z, Index y) {
    const auto from = static_cast<std::size_t>(linear(image.shape, z, y, box.begin.x));
    std::memcpy(to, voxels + from * voxel_bytes, row_bytes);
    to += row_bytes;
  });
  return {storage.data(), image.element, box.size};
}

template <class Real>
void TileJoiner::add(const FastTile& tile, const Real* restored) {
  for (int axis = 0; axis < 3; ++axis) {
    if (tile.core.begin[axis] == 0) continue;
    Box layer = tile.core;
    layer.begin[axis] -= 1;
    layer.size[axis] = 1;
    if (layer.begin[axis] >= tile.whole.begin[axis]) compare(tile, layer, restored);
  }
  const auto& [begin, size] = tile.core;
  const Shape& origin = tile.whole.begin;
  const Index first = linear(tile.whole.size, begin.z - origin.z, begin.y - origin.y, begin.x - origin.x);
  const TileOutputs outputs{{{begin.x, size.x}, {begin.y, size.y}, {begin.z, size.z}}};
  sums_.add(scatter_tile(layout_of(tile.whole.size), outputs, restored + first, output_, {}, scale_));
}

template <class Real>
void TileJoiner::compare(const FastTile& tile, const Box& layer, const Real* restored) {
  const Shape& origin = tile.whole.begin;
  with_element(output_.element, [&](auto type) {
    const VoxelRows<decltype(type)> written(output_);
    for_each_row(layer, [&](Index z, Index y) {
      const auto* theirs = written.row(z * output_.shape.y + y) + layer.begin.x * written.stride();
      const Real* ours = restored + linear(tile.whole.size, z - origin.z, y - origin.y, layer.begin.x - origin.x);
      for (Index x = 0; x < layer.size.x; ++x) {
        const auto value = static_cast<double>(theirs[x * written.stride()]);
        const double difference = std::abs(scale_.factor * static_cast<double>(ours[x]) - value);
        const double in_tile = difference / scale_.factor;  // whose square is in range, whatever the image's unit
        squared_difference_ += in_tile * in_tile;
        squared_value_ += value / scale_.factor * (value / scale_.factor);
        seam_.largest_difference = std::max(seam_.largest_difference, difference);
      }
    });
  });
  seam_.voxels += num_voxels(layer.size);
}

SeamError TileJoiner::seam() const {
  SeamError seam = seam_;
  if (squared_difference_ > 0) seam.relative_l2 = std::sqrt(squared_difference_ / std::max(squared_value_, 1e-300));
  return seam;
}

template void TileJoiner::add(const FastTile&, const float*);
template void TileJoiner::add(const FastTile&, const double*);

}  // namespace convoy
