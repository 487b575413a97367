// Facts of the voxels that a run reads and writes, taken while they are copied.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/row_sums.hpp"
#include "base/voxel_rows.hpp"
#include "convoy/image.hpp"

namespace convoy::inline v0 {

/// How a row lies in memory, and which part of the image it is. In voxels.
struct RowPlace {
  Index stride = 1;
  Index image_position = 0;  ///< linear, of the first voxel
  Index image_stride = 1;
};

/// What is looked for in voxels that are read.
struct VoxelRules {
  double largest = std::numeric_limits<double>::max();        ///< magnitudes beyond it may overflow in a transform
  std::optional<double> no_data = {};                         ///< ConvolutionSpec::no_data
  double exact_to = std::numeric_limits<double>::infinity();  ///< voxels beyond it may be rounded when they are read
  double kernel_sum = 1;                                      ///< for NonFinite::interpolate
  double least_weight = 0;  ///< smaller sums of the kernel over voxels that are not missing are rounding errors

  /// Whether the arithmetic takes the voxel as 0 because it marks missing data. Compared as a T.
  template <class T>
  bool is_missing(T value) const {
    if (!no_data) return false;
    if constexpr (is_floating_voxel<T> && !std::is_same_v<T, double>) {
      // As a T it is infinite, which no finite number marks.
      if (std::abs(*no_data) <= 2 * facts_of(element_of<T>()).highest) return value == static_cast<T>(*no_data);
      return false;
    }
    return static_cast<double>(value) == *no_data;
  }
};

/// Segments of rows whose largest magnitudes are averaged, as exponents of 2.
inline constexpr Index kSegmentVoxels = 256;

/// A row, and how large the voxels of its segments are.
struct SegmentedFacts : RowFacts {
  Index exponents = 0;  ///< sum, over the segments that hold more than zeros
  Index segments = 0;

  void add_segment(const RowFacts& segment) {
    RowFacts::add(segment);
    const double largest = std::max(std::abs(segment.lowest), std::abs(segment.highest));
    if (!(largest > 0) || !std::isfinite(largest)) return;
    exponents += std::ilogb(largest);
    ++segments;
  }
};

/// Voxels that were read. Those that are not finite or mark missing data are left out of all but their counts.
struct InputSums {
  static constexpr Index kNone = std::numeric_limits<Index>::max();

  double sum = 0;
  double lowest = std::numeric_limits<double>::infinity();
  double highest = -std::numeric_limits<double>::infinity();
  Index non_finite = 0;
  Index first_non_finite = kNone;  ///< linear position in the image, if there is one
  Index too_large = 0;             ///< beyond VoxelRules::largest
  Index first_too_large = kNone;
  Index no_data = 0;
  Index inexact = 0;         ///< beyond VoxelRules::exact_to, and rounded
  Index exponents = 0;       ///< as in SegmentedFacts
  Index segments = 0;        ///< likewise
  double dynamic_range = 0;  ///< of the tile in which it is largest

  void add(const InputSums& part);
  /// `count` voxels from `row` on.
  template <class T>
  void add_row(const T* row, Index count, const RowPlace& place, const VoxelRules& rules = {});
  /// The same, for a row whose facts are known.
  template <class T>
  void add_row(const T* row, Index count, const RowPlace& place, const VoxelRules& rules, const SegmentedFacts& facts);
  /// Turns the sums of all rows of a tile into its dynamic range: the largest magnitude over that of its typical
  /// segment.
  void end_tile();
  double largest() const { return lowest <= highest ? std::max(std::abs(lowest), std::abs(highest)) : 0; }
};

/// What writing an output revealed.
struct OutputSums {
  double sum = 0;
  Index saturated = 0;
  Index nan = 0;  ///< as RunReport::nan_voxels

  void add(const OutputSums& part) {
    sum += part.sum;
    saturated += part.saturated;
    nan += part.nan;
  }
};

/// What is known of a tile when it is done.
struct TileSums {
  InputSums inputs;
  OutputSums outputs;
};

/// Of a whole image, or of all of a batch: positions then go on from image to image.
InputSums scan(const ImageView& images, const VoxelRules& rules = {});

template <class T>
void InputSums::add_row(const T* row, Index count, const RowPlace& place, const VoxelRules& rules) {
  SegmentedFacts facts;
  if (place.stride == 1 && !rules.no_data) {
    for (Index i = 0; i < count; i += kSegmentVoxels) {
      facts.add_segment(facts_of(row + i, std::min(kSegmentVoxels, count - i)));
    }
    if (std::isfinite(facts.sum)) {
      add_row(row, count, place, rules, facts);
      return;
    }
    facts = {};
  }
  RowFacts segment;
  for (Index i = 0; i < count; ++i) {
    const T voxel = row[i * place.stride];
    const auto value = static_cast<double>(voxel);
    if (!std::isfinite(value)) {
      ++non_finite;
      first_non_finite = std::min(first_non_finite, place.image_position + i * place.image_stride);
    } else if (rules.is_missing(voxel)) {
      ++no_data;
    } else {
      segment.add(value);
    }
    if ((i + 1) % kSegmentVoxels == 0 || i + 1 == count) {
      facts.add_segment(segment);
      segment = {};
    }
  }
  add_row(row, count, place, rules, facts);
}

template <class T>
void InputSums::add_row(const T* row, Index count, const RowPlace& place, const VoxelRules& rules,
                        const SegmentedFacts& facts) {
  sum += facts.sum;
  lowest = std::min(lowest, facts.lowest);
  highest = std::max(highest, facts.highest);
  exponents += facts.exponents;
  segments += facts.segments;
  const double most = std::max(std::abs(facts.lowest), std::abs(facts.highest));
  if (!(facts.lowest <= facts.highest) || most <= std::min(rules.largest, rules.exact_to)) return;
  for (Index i = 0; i < count; ++i) {
    const T voxel = row[i * place.stride];
    const auto value = static_cast<double>(voxel);
    if (!std::isfinite(value) || rules.is_missing(voxel)) continue;
    if (std::abs(value) > rules.largest) {
      ++too_large;
      first_too_large = std::min(first_too_large, place.image_position + i * place.image_stride);
    } else if (std::abs(value) > rules.exact_to && static_cast<double>(static_cast<float>(value)) != value) {
      ++inexact;
    }
  }
}

}  // namespace convoy::inline v0
