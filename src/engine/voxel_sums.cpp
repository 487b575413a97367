#include "engine/voxel_sums.hpp"

#include <algorithm>
#include <vector>

#include "base/worker_pool.hpp"

namespace convoy::inline v0 {

void InputSums::add(const InputSums& part) {
  sum += part.sum;
  lowest = std::min(lowest, part.lowest);
  highest = std::max(highest, part.highest);
  non_finite += part.non_finite;
  first_non_finite = std::min(first_non_finite, part.first_non_finite);
  too_large += part.too_large;
  first_too_large = std::min(first_too_large, part.first_too_large);
  no_data += part.no_data;
  inexact += part.inexact;
  exponents += part.exponents;
  segments += part.segments;
  dynamic_range = std::max(dynamic_range, part.dynamic_range);
}

void InputSums::end_tile() {
  if (segments > 0) {
    const double typical = std::exp2(0.5 + static_cast<double>(exponents) / static_cast<double>(segments));
    dynamic_range = std::max(1.0, largest() / typical);
  }
  exponents = segments = 0;
}

namespace {

/// Voxels that are added up together. Parts of one size, added up in order, give the same sums on every run.
constexpr Index kPart = 1 << 16;

/// add(part, begin, end) for each part of [0, count), in any order; returns their sum in order.
template <class Add>
InputSums sum_of_parts(Index count, Index part_size, const Add& add) {
  std::vector<InputSums> parts(static_cast<std::size_t>((count + part_size - 1) / part_size));
  host_workers().for_each(static_cast<Index>(parts.size()), 1, [&](int, Index first, Index last) {
    for (Index part = first; part < last; ++part) {
      add(parts[static_cast<std::size_t>(part)], part * part_size, std::min(count, (part + 1) * part_size));
    }
  });
  InputSums total;
  for (const InputSums& part : parts) total.add(part);
  return total;
}

template <class T>
InputSums scan_rows(const ImageView& images, const VoxelRules& rules) {
  const VoxelRows<T> rows(images);
  const Index length = images.shape.x;
  const Index num_rows = images.batch * images.shape.z * images.shape.y;
  return sum_of_parts(num_rows, std::max<Index>(1, kPart / length), [&](InputSums& sums, Index begin, Index end) {
    for (Index row = begin; row < end; ++row) {
      sums.add_row(rows.row(row), length, {rows.stride(), row * length, 1}, rules);
    }
  });
}

}  // namespace

InputSums scan(const ImageView& images, const VoxelRules& rules) {
  return with_element(images.element, [&]<class T>(T) {
    if (!images.is_dense()) return scan_rows<T>(images, rules);
    const auto* values = static_cast<const T*>(images.data);
    return sum_of_parts(num_voxels(images.as_one().shape), kPart, [&](InputSums& sums, Index begin, Index end) {
      sums.add_row(values + begin, end - begin, {1, begin, 1}, rules);
    });
  });
}

}  // namespace convoy::inline v0
