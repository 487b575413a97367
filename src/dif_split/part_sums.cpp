#include "dif_split/part_sums.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/boundary_rule.hpp"
#include "base/voxel_rows.hpp"
#include "engine/row_loop.hpp"
#include "engine/tile_geometry.hpp"

namespace convoy::inline v0 {
namespace {

/// Neighbours in a row that show neighbours, or all that lie outside, and whose sums are neighbours.
struct RowRun {
  Index at = 0;
  Index from = 0;  ///< or kOutside
  Index count = 0;
};

/// `fold`: at multiples of it a run ends.
std::vector<RowRun> runs_of(const std::vector<Index>& positions, Index fold) {
  std::vector<RowRun> runs;
  for (Index at = 0; at < static_cast<Index>(positions.size()); ++at) {
    const Index from = positions[static_cast<std::size_t>(at)];
    if (from == kPadding) continue;
    const bool goes_on = !runs.empty() && at % fold != 0 && runs.back().at + runs.back().count == at &&
                         (from == kOutside ? runs.back().from == kOutside
                                           : runs.back().from >= 0 && runs.back().from + runs.back().count == from);
    if (goes_on) {
      ++runs.back().count;
    } else {
      runs.push_back({at, from, 1});
    }
  }
  return runs;
}

template <class T, class Real>
Real value_of(T voxel, const PartSource& source) {
  if (is_floating_voxel<T> && source.zeroes_non_finite && !std::isfinite(static_cast<Real>(voxel))) return 0;
  if (source.rules.is_missing(voxel)) return 0;
  return static_cast<Real>(voxel);
}

template <class T, class Real>
class PartSum {
 public:
  PartSum(const TransformSplit& split, const PartSource& source, const std::vector<Real>& taken)
      : axis_(split.axis),
        part_(split.part.image),
        source_(source),
        taken_(taken),
        rows_(source.voxels),
        outside_(static_cast<Real>(source.outside)),
        runs_(runs_of(source.positions[2], axis_ == 2 ? part_.x : static_cast<Index>(source.positions[2].size()))) {}

  /// All rows of the source that fall on this one.
  void fill_row(Index part_z, Index part_y, Real* row) const {
    std::fill_n(row, part_.x, Real(0));
    const Index period_z = static_cast<Index>(source_.positions[0].size());
    const Index period_y = static_cast<Index>(source_.positions[1].size());
    for (Index z = part_z; z < period_z; z += part_.z) {
      for (Index y = part_y; y < period_y; y += part_.y) add_row(z, y, row);
    }
  }

 private:
  void add_row(Index z, Index y, Real* row) const {
    const Index from_z = source_.positions[0][static_cast<std::size_t>(z)];
    const Index from_y = source_.positions[1][static_cast<std::size_t>(y)];
    if (from_z == kPadding || from_y == kPadding) return;
    const bool outside = from_z < 0 || from_y < 0;
    const Index stride = rows_.stride();
    const T* voxels = outside ? nullptr : rows_.row(from_z * source_.voxels.shape.y + from_y);
    for (const RowRun& run : runs_) {
      Real* const to = row + (axis_ == 2 ? run.at % part_.x : run.at);
      const Real* const weights = taken_.data() + (axis_ == 2 ? run.at : axis_ == 1 ? y : z);
      const Index weight_stride = axis_ == 2 ? 1 : 0;
      if (outside || run.from < 0) {
        for (Index i = 0; i < run.count; ++i) to[i] += outside_ * weights[i * weight_stride];
      } else if (axis_ == 2 || stride != 1 || source_.zeroes_non_finite || source_.rules.no_data) {
        for (Index i = 0; i < run.count; ++i) {
          to[i] += value_of<T, Real>(voxels[(run.from + i) * stride], source_) * weights[i * weight_stride];
        }
      } else {
        add_scaled(voxels + run.from, *weights, run.count, to);
      }
    }
  }

  /// The loop of nearly all voxels, without branches, so that it can be vectorised.
  static void add_scaled(const T* voxels, Real weight, Index count, Real* to) {
    for (Index i = 0; i < count; ++i) to[i] += static_cast<Real>(voxels[i]) * weight;
  }

  int axis_;
  Shape part_;
  const PartSource& source_;
  const std::vector<Real>& taken_;
  VoxelRows<T> rows_;
  Real outside_;
  std::vector<RowRun> runs_;
};

const AxisPlan& split_axis(const TransformSplit& split) {
  return split.whole.axes[static_cast<std::size_t>(split.axis)];
}

/// Adds a row of the part to a row of the output, both from x = 0 on; `given` belongs to the first voxel.
template <class Real>
void add_row_of_part(const Real* part, Real given, Index count, Real* sums) {
  for (Index i = 0; i < count; ++i) sums[i] += given * part[i];
}

template <class Real>
void add_folded_row(const Real* part, Index fold, const Real* given, Index count, Real* sums) {
  for (Index begin = 0; begin < count; begin += fold) {
    const Index end = std::min(count, begin + fold);
    for (Index i = begin; i < end; ++i) sums[i] += given[i] * part[i - begin];
  }
}

}  // namespace

template <class Real>
PartWeights<Real> part_weights(const TransformSplit& split, Index n) {
  const Index period = split_axis(split).padded;
  const Index r = (n + 2) / 3;
  const Index product = n == 0 ? 0 : (n + 2) % 3;
  const double share = (n == 0 ? 1.0 : 2.0) / static_cast<double>(split.num_parts);
  PartWeights<Real> weights;
  for (Index i = 0; i < period; ++i) {
    const double angle = -2 * std::numbers::pi * static_cast<double>(r * i % period) / static_cast<double>(period);
    const double real = std::cos(angle);
    const double imaginary = std::sin(angle);
    // real * real, sum * sum and imaginary * imaginary; what each gives to the real part of the result, turned back.
    const std::array<double, 3> taken{real, real + imaginary, imaginary};
    const std::array<double, 3> given{real - imaginary, imaginary, -real - imaginary};
    weights.taken.push_back(static_cast<Real>(taken[static_cast<std::size_t>(product)]));
    weights.given.push_back(static_cast<Real>(share * given[static_cast<std::size_t>(product)]));
  }
  return weights;
}

PartSource part_source_of_image(const TransformSplit& split, const ImageView& image) {
  const ConvolutionSpec& spec = split.whole.spec;
  auto sources = tile_sources(split.whole, {0, 0, 0});
  PartSource source;
  source.voxels = image;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    source.positions[axis] = std::move(sources[2 - axis].positions);
    source.positions[axis].resize(static_cast<std::size_t>(split.whole.axes[axis].padded), kPadding);
  }
  source.outside = reading_boundary(spec) == Boundary::constant ? spec.constant : 0;
  source.zeroes_non_finite = spec.non_finite == NonFinite::zero;
  source.rules.no_data = spec.no_data;
  return source;
}

PartSource part_source_of_kernel(const TransformSplit& split, const ImageView& kernel) {
  PartSource source;
  source.voxels = kernel;
  for (std::size_t number = 0; number < 3; ++number) {
    const AxisPlan& axis = split.whole.axes[number];
    source.positions[number].assign(static_cast<std::size_t>(axis.padded), kPadding);
    for (Index t = 0; t < axis.kernel_size; ++t) {
      const Index shifted = (t + axis.kernel_begin - axis.kernel_delta) % axis.padded;
      source.positions[number][static_cast<std::size_t>(shifted < 0 ? shifted + axis.padded : shifted)] = t;
    }
  }
  return source;
}

template <class Real>
void sum_part(const TransformSplit& split, const PartSource& source, const std::vector<Real>& taken, Real* part) {
  const Shape& shape = split.part.image;
  with_element(source.voxels.element, [&](auto type) {
    const PartSum<decltype(type), Real> sum(split, source, taken);
    for_each_rows(shape.z * shape.y, shape.x * static_cast<Index>(sizeof(Real)), [&](Index begin, Index end) {
      for (Index row = begin; row < end; ++row) sum.fill_row(row / shape.y, row % shape.y, part + row * shape.x);
    });
  });
}

template <class Real>
void add_share(const TransformSplit& split, const Real* part, const std::vector<Real>& given, Real* sums) {
  const Shape shape = output_shape(split.whole.spec);
  const Shape& fold = split.part.image;
  for_each_rows(shape.z * shape.y, shape.x * static_cast<Index>(sizeof(Real)), [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row) {
      const Index z = row / shape.y;
      const Index y = row % shape.y;
      const Real* from = part + (z % fold.z * fold.y + y % fold.y) * fold.x;
      Real* const to = sums + row * shape.x;
      if (split.axis == 2) {
        add_folded_row(from, fold.x, given.data(), shape.x, to);
      } else {
        add_row_of_part(from, given[static_cast<std::size_t>(split.axis == 1 ? y : z)], shape.x, to);
      }
    }
  });
}

#define CONVOY_INSTANTIATE(Real)                                                                     \
  template PartWeights<Real> part_weights(const TransformSplit&, Index);                             \
  template void sum_part(const TransformSplit&, const PartSource&, const std::vector<Real>&, Real*); \
  template void add_share(const TransformSplit&, const Real*, const std::vector<Real>&, Real*);
CONVOY_INSTANTIATE(float)
CONVOY_INSTANTIATE(double)
#undef CONVOY_INSTANTIATE

}  // namespace convoy::inline v0
