#include "deconvolution/fast_tiles.hpp"

#include <cmath>
#include <limits>

#include "base/refuse.hpp"
#include "engine/scatter.hpp"

namespace convoy::inline v0 {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

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
  const Box& region = tiling.region;
  for (int axis = 0; axis < 3; ++axis) {
    const Index begin = tiling.begin[axis] + place[axis] * tiling.core[axis];
    const Index end = std::min(begin + tiling.core[axis], region.begin[axis] + region.size[axis]);
    tile.core.begin[axis] = std::max(begin, region.begin[axis]);
    tile.core.size[axis] = end - tile.core.begin[axis];
    tile.whole.begin[axis] = std::clamp<Index>(begin - tiling.halo[axis], 0, image[axis] - tiling.tile[axis]);
    tile.whole.size[axis] = tiling.tile[axis];
  }
  return tile;
}

Box box_written(const FastTiling& tiling, const FastTile& tile) {
  Box box = tile.core;
  for (int axis = 0; axis < 3; ++axis) box.begin[axis] -= tiling.region.begin[axis];
  return box;
}

/// The sheet across an axis is as large as a core along that axis' and the slower axes, and as the region along faster
/// ones: x is joined within a row of tiles, y within a band of planes.
TileJoiner::TileJoiner(BoxSink& output, const FastTiling& tiling, const OutputScale& scale)
    : output_(output), tiling_(tiling), scale_(scale) {
  const Shape region = output.shape();
  for (int axis = 0; axis < 3; ++axis) {
    if (tiling.counts[axis] == 1) continue;
    Sheet& sheet = sheets_[static_cast<std::size_t>(axis)];
    for (int other = 0; other < 3; ++other) {
      sheet.size[other] = other == axis ? 1 : other < axis ? tiling.core[other] : region[other];
    }
    sheet.values.assign(static_cast<std::size_t>(num_voxels(sheet.size)), kUnknown);
  }
}

template <class Real>
void TileJoiner::add(const FastTile& tile, const Real* restored) {
  for (int axis = 0; axis < 3; ++axis) {
    if (sheets_[static_cast<std::size_t>(axis)].values.empty()) continue;
    compare(tile, axis, restored);
    keep(tile, axis, restored);
  }
  const auto& [begin, size] = tile.core;
  const Shape& origin = tile.whole.begin;
  const Index first = linear(tile.whole.size, begin.z - origin.z, begin.y - origin.y, begin.x - origin.x);
  const TileOutputs outputs{{{0, size.x}, {0, size.y}, {0, size.z}}};
  const Box written = box_written(tiling_, tile);
  sums_.add(scatter_tile(layout_of(tile.whole.size), outputs, restored + first, output_.begin(written), {}, scale_));
  output_.end(written);
}

void TileJoiner::add(const FastTile& tile, const std::vector<std::byte>& restored, Element element) {
  if (element == Element::f32) {
    add(tile, reinterpret_cast<const float*>(restored.data()));
  } else {
    add(tile, reinterpret_cast<const double*>(restored.data()));
  }
}

void TileJoiner::pass_over(const FastTile& tile) {
  for (int axis = 0; axis < 3; ++axis) {
    if (!sheets_[static_cast<std::size_t>(axis)].values.empty()) keep<float>(tile, axis, nullptr);
  }
}

template <class Real>
void TileJoiner::compare(const FastTile& tile, int axis, const Real* restored) {
  Box layer = tile.core;
  layer.begin[axis] -= 1;
  layer.size[axis] = 1;
  if (layer.begin[axis] < std::max(tile.whole.begin[axis], tiling_.region.begin[axis])) return;
  const Shape& origin = tile.whole.begin;
  Sheet& sheet = sheets_[static_cast<std::size_t>(axis)];
  for_each_row(layer, [&](Index z, Index y) {
    const Real* ours = restored + linear(tile.whole.size, z - origin.z, y - origin.y, layer.begin.x - origin.x);
    for (Index x = 0; x < layer.size.x; ++x) {
      const double theirs = sheet.at(z, y, layer.begin.x + x);
      if (std::isnan(theirs)) continue;
      const double difference = std::abs(static_cast<double>(ours[x]) - theirs);  // whose square is in range
      squared_difference_ += difference * difference;
      squared_value_ += theirs * theirs;
      seam_.largest_difference = std::max(seam_.largest_difference, scale_.factor * difference);
      ++seam_.voxels;
    }
  });
}

template <class Real>
void TileJoiner::keep(const FastTile& tile, int axis, const Real* restored) {
  Box layer = tile.core;
  layer.begin[axis] += layer.size[axis] - 1;
  layer.size[axis] = 1;
  const Shape& origin = tile.whole.begin;
  Sheet& sheet = sheets_[static_cast<std::size_t>(axis)];
  for_each_row(layer, [&](Index z, Index y) {
    const Index from = linear(tile.whole.size, z - origin.z, y - origin.y, layer.begin.x - origin.x);
    for (Index x = 0; x < layer.size.x; ++x) {
      sheet.at(z, y, layer.begin.x + x) = restored == nullptr ? kUnknown : static_cast<double>(restored[from + x]);
    }
  });
}

SeamError TileJoiner::seam() const {
  SeamError seam = seam_;
  if (squared_difference_ > 0) seam.relative_l2 = std::sqrt(squared_difference_ / std::max(squared_value_, 1e-300));
  return seam;
}

template void TileJoiner::add(const FastTile&, const float*);
template void TileJoiner::add(const FastTile&, const double*);

std::vector<Box> split_output(const DeconvolutionPlan& plan, Index num_regions) {
  if (!plan.fast) refuse("the plan has no fast tiles, of which regions are made; ask for some (--tiles fast)");
  const FastTiling& tiling = *plan.fast;
  ConvolutionSpec grid;
  grid.image = tiling.counts;
  std::vector<Box> boxes = split_output(grid, num_regions);
  for (Box& box : boxes) {
    for (int axis = 0; axis < 3; ++axis) {
      const Index end = tiling.begin[axis] + (box.begin[axis] + box.size[axis]) * tiling.core[axis];
      const Index begin = tiling.begin[axis] + box.begin[axis] * tiling.core[axis];
      box.begin[axis] = std::max(begin, tiling.region.begin[axis]);
      box.size[axis] = std::min(end, tiling.region.begin[axis] + tiling.region.size[axis]) - box.begin[axis];
    }
  }
  return boxes;
}

}  // namespace convoy::inline v0
