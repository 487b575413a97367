// Sums over the voxels that a run reads and writes, taken while they are copied.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/row_sums.hpp"
#include "common/voxel_rows.hpp"
#include "convoy/image.hpp"

namespace convoy {

/// How a row lies in memory, and which part of the image it is. In voxels.
struct RowPlace {
  Index stride = 1;
  Index image_position = 0;  ///< linear, of the first voxel
  Index image_stride = 1;
};

/// Sum of voxels, and the non-finite ones among them (left out of the sum).
struct InputSums {
  double sum = 0;
  Index non_finite = 0;
  Index first_non_finite = std::numeric_limits<Index>::max();  ///< linear position in the image, if there is one

  void add(const InputSums& part);
  /// `count` voxels from `row` on.
  template <class T>
  void add_row(const T* row, Index count, const RowPlace& place) {
    const bool side_by_side = place.stride == 1;
    add_row(row, count, place, side_by_side ? sum_of(row, count) : std::numeric_limits<double>::quiet_NaN());
  }
  /// Their sum is known already, or is NaN.
  template <class T>
  void add_row(const T* row, Index count, const RowPlace& place, double row_sum);
};

/// What writing an output revealed.
struct OutputSums {
  double sum = 0;
  Index saturated = 0;

  void add(const OutputSums& part) {
    sum += part.sum;
    saturated += part.saturated;
  }
};

/// Of a whole image.
InputSums scan(const ImageView& image);

template <class T>
void InputSums::add_row(const T* row, Index count, const RowPlace& place, double row_sum) {
  if (std::isfinite(row_sum)) {
    sum += row_sum;
    return;
  }
  for (Index i = 0; i < count; ++i) {
    const auto value = static_cast<double>(row[i * place.stride]);
    if (std::isfinite(value)) {
      sum += value;
    } else {
      ++non_finite;
      first_non_finite = std::min(first_non_finite, place.image_position + i * place.image_stride);
    }
  }
}

}  // namespace convoy
