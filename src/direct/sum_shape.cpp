#include "direct/sum_shape.hpp"

#include <algorithm>

namespace convoy::inline v0 {
namespace {

/// Sums of output planes that are under way, in a thread's registers.
constexpr Index kUsualSums = 72;
constexpr Index kMostSums = 100;
/// Rows of outputs of a workgroup.
constexpr Index kRowsOfPlanes = 32;
constexpr Index kRowsOfImages = 64;
constexpr Index kMostThreadsY = 16;
constexpr Index kMostThreads = 1024;
constexpr Index kLongestRow = 256;

Index products_of_thread(const SumSize& size, const SumShape& shape) {
  const auto& [x, y, z] = size.taps;
  if (!size.is_separable()) return 2 * shape.rows * size.num_taps();
  return size.num_terms * (shape.run * x + 2 * shape.rows * (y + z));
}

bool fits(const SumSize& size, const SumShape& shape, const Limits& limits) {
  const Index pair_bytes = size.precision == Precision::f32 ? 8 : 16;
  return sum_memory(size, shape).total * pair_bytes <= static_cast<Index>(limits.shared_memory_bytes);
}

bool is_possible(const SumShape& shape) {
  return shape.num_threads() <= kMostThreads && shape.run % 2 == 0 && shape.tile_x() % shape.run == 0;
}

/// Of outputs that have few rows.
void flatten(const std::array<Index, 3>& outputs, SumShape& shape) {
  while (shape.tile_y() >= 2 * outputs[1] && shape.tile_y() > 1 && shape.tile_x() < kLongestRow) {
    if (shape.threads_y == 1) {
      shape.rows /= 2;
      continue;
    }
    shape.threads_y /= 2;
    shape.threads_x *= 2;
  }
  while (shape.rows > 1 && shape.tile_y() >= 2 * outputs[1]) shape.rows /= 2;
}

void tune(const SumTuning& tuning, SumShape& shape) {
  if (tuning.threads_y > 0) shape.threads_y = tuning.threads_y;
  if (tuning.rows > 0) shape.rows = tuning.rows;
  if (tuning.run > 0) shape.run = tuning.run;
}

}  // namespace

Index SumSize::num_taps() const {
  const auto& [x, y, z] = taps;
  return is_separable() ? num_terms * (x + y + z) : x * y * z;
}

SumMemory sum_memory(const SumSize& size, const SumShape& shape) {
  const auto& [nx, ny, nz] = size.taps;
  SumMemory memory{};
  memory.box_x = shape.threads_x + nx / 2;
  memory.box_y = shape.tile_y() + ny - 1;
  const bool has_middle = size.is_separable() && nx > 1;
  if (has_middle) {  // threads of neighbouring rows read and write neighbouring banks
    memory.box_x |= 1;
    memory.middle_x = shape.threads_x | 1;
  }
  memory.num_boxes = size.marches() && !has_middle ? 2 : 1;
  memory.first_tap = memory.first_middle() + memory.middle_x * memory.box_y;
  memory.total = memory.first_tap + ceil_divided(size.num_taps(), 2);
  return memory;
}

std::optional<SumShape> sum_shape(const SumSize& size, const std::array<Index, 3>& outputs, const Limits& limits,
                                  const SumTuning& tuning) {
  if (limits.shared_memory_bytes == 0) return {};
  const Index tile_y = size.marches() ? kRowsOfPlanes : kRowsOfImages;
  const Index most_rows = size.marches() ? 4 : 8;
  for (Index rows = most_rows; rows >= 1; rows /= 2) {
    SumShape shape;
    shape.rows = rows;
    shape.threads_y = size.is_separable() ? std::min(kMostThreadsY, tile_y / rows) : 8;
    SumShape flat = shape;
    flatten(outputs, flat);
    for (SumShape one : {flat, shape}) {
      tune(tuning, one);
      const Index sums = size.marches() ? 2 * one.rows * (size.taps[2] - 1) : 0;
      const bool last = one.rows == 1 || tuning.rows > 0;
      if (sums > (last ? kMostSums : kUsualSums)) continue;
      if (products_of_thread(size, one) > (last ? kMostProducts : kUsualProducts)) continue;
      if (is_possible(one) && fits(size, one, limits)) return one;
    }
  }
  return {};
}

std::optional<SumShape> sum_shape(const FftGeometry& tile, const Limits& limits) {
  constexpr Index kMany = Index{1} << 30;  // how many outputs there are decides nothing
  return sum_shape({tile.kernel, tile.num_terms, tile.precision}, {kMany, kMany, kMany}, limits);
}

}  // namespace convoy::inline v0
