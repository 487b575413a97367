#include "engine/tile_axes.hpp"

#include <algorithm>

#include "base/boundary_rule.hpp"

namespace convoy {
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

}  // namespace

TileIndex tile_index(const Plan& plan, Index t) {
  const Index nx = plan.axes[2].num_tiles;
  const Index ny = plan.axes[1].num_tiles;
  return {t / nx / ny, t / nx % ny, t % nx};
}

std::array<Index, 3> device_strides(const Plan& plan, const Shape& shape) {
  const std::array<Index, 3> of_axis{shape.y * shape.x, shape.x, 1};
  std::array<Index, 3> strides{};
  for (std::size_t d = 0; d < 3; ++d) strides[d] = of_axis[static_cast<std::size_t>(plan.device_axes[d])];
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

}  // namespace convoy
