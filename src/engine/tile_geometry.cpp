#include "engine/tile_geometry.hpp"

#include <algorithm>

#include "base/boundary_rule.hpp"

namespace convoy::inline v0 {
namespace {

AxisSources axis_sources(const Plan& plan, int d, const TileIndex& tile) {
  const int a = plan.device_axes[d];
  const AxisPlan& axis = plan.axes[static_cast<std::size_t>(a)];
  const Index number = tile[static_cast<std::size_t>(a)];
  const Index begin = number * axis.tile_output + axis.input_offset;
  AxisSources sources;
  sources.positions = source_positions(reading_boundary(plan.spec), begin, axis.tile_input, axis.image);
  sources.positions.resize(static_cast<std::size_t>(axis.extent), kPadding);
  sources.run_begin = std::clamp<Index>(-begin, 0, axis.tile_input);
  sources.run_end = std::clamp<Index>(axis.image - begin, sources.run_begin, axis.tile_input);
  const Index shown_before = number > 0 ? axis.tile_input - axis.tile_output : 0;
  sources.own_begin = std::clamp(shown_before, sources.run_begin, sources.run_end);
  sources.own_end = sources.run_end;
  return sources;
}

AxisOutputs axis_outputs(const Plan& plan, int d, const TileIndex& tile) {
  const int a = plan.device_axes[d];
  const AxisPlan& axis = plan.axes[static_cast<std::size_t>(a)];
  const Index begin = tile[static_cast<std::size_t>(a)] * axis.tile_output;
  return {begin, std::min(axis.tile_output, axis.output - begin)};
}

Pieces pieces(const Plan& plan, Index AxisPlan::*field) {
  const int last = plan.num_transforms - 1;
  Pieces pieces;
  pieces.layers = device_axis(plan, last).*field;
  pieces.piece_layers = plan.piece_extent;
  pieces.rows_a_layer = last == 2 ? device_axis(plan, 1).*field : 1;
  return pieces;
}

/// Neighbouring positions of an axis, and where they lie in the buffer.
struct Interval {
  Index from = 0;
  Index count = 0;
  Index to = 0;
};

/// Translates the positions of the axis into the buffer's.
std::vector<Interval> intervals_of(AxisSources& axis) {
  std::vector<Index> shown;
  shown.reserve(axis.positions.size());
  std::copy_if(axis.positions.begin(), axis.positions.end(), std::back_inserter(shown),
               [](Index position) { return position >= 0; });
  std::sort(shown.begin(), shown.end());
  shown.erase(std::unique(shown.begin(), shown.end()), shown.end());
  std::vector<Interval> intervals;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const bool follows = i > 0 && shown[i] == shown[i - 1] + 1;
    if (!follows) intervals.push_back({shown[i], 0, static_cast<Index>(i)});
    ++intervals.back().count;
  }
  for (Index& position : axis.positions) {
    if (position < 0) continue;
    position = std::lower_bound(shown.begin(), shown.end(), position) - shown.begin();
  }
  return intervals;
}

Index extent_of(const std::vector<Interval>& intervals) {
  return intervals.empty() ? 0 : intervals.back().to + intervals.back().count;
}

/// The axis that slabs are cut from.
int slab_axis(const Shape& size) {
  for (int axis = 0; axis < 2; ++axis) {
    if (size[axis] > 1) return axis;
  }
  return 2;
}

}  // namespace

TileIndex tile_index(const Plan& plan, Index t) {
  const Index nx = plan.axes[2].num_tiles;
  const Index ny = plan.axes[1].num_tiles;
  const Index in_image = t % plan.num_tiles();
  return {{in_image / nx / ny, in_image / nx % ny, in_image % nx}, t / plan.num_tiles()};
}

std::array<Index, 3> device_strides(const Plan& plan, const Shape& shape) {
  const std::array<Index, 3> of_axis{shape.y * shape.x, shape.x, 1};
  std::array<Index, 3> strides{};
  for (std::size_t d = 0; d < 3; ++d) strides[d] = of_axis[static_cast<std::size_t>(plan.device_axes[d])];
  return strides;
}

std::array<Index, 3> device_strides(const Plan& plan, const ImageView& array) {
  const Strides in_bytes = array.strides_in_bytes();
  std::array<Index, 3> strides{};
  for (std::size_t d = 0; d < 3; ++d) {
    strides[d] = in_bytes[plan.device_axes[d]] / static_cast<Index>(size_of(array.element));
  }
  return strides;
}

const AxisPlan& device_axis(const Plan& plan, int d) {
  return plan.axes[static_cast<std::size_t>(plan.device_axes[d])];
}

std::array<AxisSources, 3> tile_sources(const Plan& plan, const TileIndex& tile) {
  return {axis_sources(plan, 0, tile), axis_sources(plan, 1, tile), axis_sources(plan, 2, tile)};
}

std::array<AxisOutputs, 3> tile_outputs(const Plan& plan, const TileIndex& tile) {
  return {axis_outputs(plan, 0, tile), axis_outputs(plan, 1, tile), axis_outputs(plan, 2, tile)};
}

TileInput input_from_image(const Plan& plan, const ImageView& image, const TileIndex& tile) {
  TileInput input{image, tile_sources(plan, tile), {}};
  for (std::size_t d = 0; d < 3; ++d) {
    const AxisSources& axis = input.sources[d];
    if (axis.own_begin < axis.own_end) input.own_begin[d] = axis.positions[static_cast<std::size_t>(axis.own_begin)];
  }
  return input;
}

Box output_box_of(const Plan& plan, const TileIndex& tile) {
  const auto outputs = tile_outputs(plan, tile);
  Box box;
  for (std::size_t d = 0; d < 3; ++d) {
    box.begin[plan.device_axes[d]] = outputs[d].begin;
    box.size[plan.device_axes[d]] = outputs[d].count;
  }
  return box;
}

Pieces input_pieces(const Plan& plan) { return pieces(plan, &AxisPlan::extent); }
Pieces output_pieces(const Plan& plan) { return pieces(plan, &AxisPlan::tile_output); }

TileCover cover_of(const Plan& plan, const TileIndex& tile) {
  TileCover cover;
  cover.input = input_from_image(plan, {}, tile);
  std::array<std::vector<Interval>, 3> intervals;  // z, y, x
  for (std::size_t d = 0; d < 3; ++d) {
    const int axis = plan.device_axes[d];
    intervals[static_cast<std::size_t>(axis)] = intervals_of(cover.input.sources[d]);
    cover.shape[axis] = extent_of(intervals[static_cast<std::size_t>(axis)]);
  }
  for (const Interval& z : intervals[0]) {
    for (const Interval& y : intervals[1]) {
      for (const Interval& x : intervals[2]) {
        cover.boxes.push_back({{{z.from, y.from, x.from}, {z.count, y.count, x.count}}, {z.to, y.to, x.to}});
      }
    }
  }
  return cover;
}

std::uint64_t largest_cover_bytes(const Plan& plan, std::uint64_t voxel_bytes) {
  std::uint64_t bytes = voxel_bytes;
  for (const AxisPlan& axis : plan.axes) {
    bytes = saturating_product(bytes, static_cast<std::uint64_t>(std::min(axis.tile_input, axis.image)));
  }
  return bytes;
}

std::vector<PlacedBox> slabs_of(const PlacedBox& box, const Shape& chunk, Index slab_voxels) {
  const int axis = slab_axis(box.from.size);
  Index layer_voxels = 1;
  for (int other = axis + 1; other < 3; ++other) layer_voxels *= box.from.size[other];
  const Index chunk_layers = std::max<Index>(1, chunk[axis]);
  const Index wanted = std::max<Index>(1, slab_voxels / layer_voxels);
  const Index layers = (wanted + chunk_layers - 1) / chunk_layers * chunk_layers;
  std::vector<PlacedBox> slabs;
  const Index end = box.from.begin[axis] + box.from.size[axis];
  for (Index begin = box.from.begin[axis]; begin < end;) {
    const Index next = std::min(end, (begin / layers + 1) * layers);
    PlacedBox slab = box;
    slab.from.begin[axis] = begin;
    slab.from.size[axis] = next - begin;
    slab.to[axis] += begin - box.from.begin[axis];
    slabs.push_back(slab);
    begin = next;
  }
  return slabs;
}

bool is_dense_in(const Shape& buffer, const PlacedBox& box) {
  for (int axis = slab_axis(box.from.size) + 1; axis < 3; ++axis) {
    if (box.from.size[axis] != buffer[axis]) return false;
  }
  return true;
}

}  // namespace convoy::inline v0
