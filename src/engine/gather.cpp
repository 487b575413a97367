#include "engine/gather.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <optional>
#include <type_traits>

#include "base/boundary_rule.hpp"
#include "engine/row_loop.hpp"

namespace convoy::inline v0 {
namespace {

/// What becomes of voxels beside their conversion.
struct VoxelPolicy {
  bool zeroes_non_finite = false;
  const VoxelRules& rules;
  bool shows_missing = false;  ///< 1 for what is missing and 0 for all else, in place of the voxels

  bool changes_voxels() const { return zeroes_non_finite || rules.no_data || shows_missing; }
};

template <class T, class Real>
Real as_real(T value, const VoxelPolicy& policy) {
  if constexpr (is_floating_voxel<T>) {
    if (policy.zeroes_non_finite && !std::isfinite(value)) return policy.shows_missing ? 1 : 0;
  }
  if (policy.rules.is_missing(value)) return policy.shows_missing ? 1 : 0;
  return policy.shows_missing ? Real(0) : static_cast<Real>(value);
}

/// Copies a row past the caches.
template <class Real>
SegmentedFacts stream_segments(Real* to, const Real* from, Index count) {
  SegmentedFacts facts;
  for (Index i = 0; i < count; i += kSegmentVoxels) {
    facts.add_segment(stream_copy_and_facts(to + i, from + i, std::min(kSegmentVoxels, count - i)));
  }
  return facts;
}

/// Of what lies side by side in a row, if the copy returned it.
using RunFacts = std::optional<SegmentedFacts>;

/// One row of a tile, where the outer axes lie inside the image. `streams`: large copies go past the caches; they alone
/// return facts.
template <class T, class Real>
RunFacts gather_row(const T* row, Index stride, const AxisSources& x, Real outside, const VoxelPolicy& policy,
                    bool streams, Real* out) {
  const auto slow = [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const Index from = x.positions[static_cast<std::size_t>(i)];
      out[i] = from >= 0 ? as_real<T, Real>(row[from * stride], policy) : from == kPadding ? Real(0) : outside;
    }
  };
  slow(0, x.run_begin);
  const Index first = x.run_begin < x.run_end ? x.positions[static_cast<std::size_t>(x.run_begin)] : 0;
  const T* from = row + first * stride;
  const Index length = x.run_end - x.run_begin;
  Real* const to = out + x.run_begin;
  slow(x.run_end, x.extent());
  if constexpr (std::is_same_v<T, Real>) {
    if (stride == 1 && !policy.changes_voxels() && streams) return stream_segments(to, from, length);
  }
  if (stride == 1 && !policy.changes_voxels()) {  // a loop of its own, so that it can be vectorised
    for (Index i = 0; i < length; ++i) to[i] = static_cast<Real>(from[i]);
  } else {
    for (Index i = 0; i < length; ++i) to[i] = as_real<T, Real>(from[i * stride], policy);
  }
  return {};
}

/// A row that lies outside the image: constant as far as the tile reads, padding beyond.
template <class Real>
void outside_row(const AxisSources& x, Real outside, Real* out) {
  for (std::size_t i = 0; i < x.positions.size(); ++i) out[i] = x.positions[i] == kPadding ? Real(0) : outside;
}

template <class Real>
Real outside_value(const ConvolutionSpec& spec, bool shows_missing) {
  if (reading_boundary(spec) != Boundary::constant) return 0;
  if (std::isnan(spec.constant)) return shows_missing ? 1 : 0;
  return shows_missing ? Real(0) : static_cast<Real>(spec.constant);
}

/// Finds out when the last row of a piece has been filled, by any thread.
class FilledRows {
 public:
  FilledRows(const Pieces& pieces, const PieceFilled& filled) : pieces_(pieces), filled_(filled) {
    for (int piece = 0; piece < pieces.count(); ++piece) {
      missing_.push_back((pieces.end_layer(piece) - pieces.begin_layer(piece)) * pieces.rows_a_layer);
    }
  }

  void add(Index begin, Index end) {
    const std::lock_guard lock(mutex_);
    while (begin < end) {
      const int piece = pieces_.of_row(begin);
      const Index piece_end = std::min(end, pieces_.end_layer(piece) * pieces_.rows_a_layer);
      Index& missing = missing_[static_cast<std::size_t>(piece)];
      missing -= piece_end - begin;
      if (missing == 0) filled_(piece);
      begin = piece_end;
    }
  }

 private:
  Pieces pieces_;
  const PieceFilled& filled_;
  std::mutex mutex_;
  std::vector<Index> missing_;
};

/// Adds a row's own voxels to the sums, with their place in the image.
template <class T>
class OwnVoxels {
 public:
  OwnVoxels(const Plan& plan, const TileInput& input, const VoxelRules& rules)
      : input_(input),
        rules_(rules),
        voxels_(static_cast<const T*>(input.voxels.data)),
        stride_(device_strides(plan, input.voxels)),
        image_stride_(device_strides(plan, plan.spec.image)) {}

  /// at_y, at_z: the row's place in the tile. `run`: of all that it shows side by side.
  void add_row(Index at_y, Index at_z, const RunFacts& run, InputSums& sums) const {
    const AxisSources &x = input_.sources[0], &y = input_.sources[1], &z = input_.sources[2];
    if (x.own_begin == x.own_end || !y.owns(at_y) || !z.owns(at_z)) return;
    const RowPlace place = place_of(at_y, at_z);
    const T* const row = voxels_ + offset_of(at_y, at_z);
    const Index count = x.own_end - x.own_begin;
    if (run && std::isfinite(run->sum) && count == x.run_end - x.run_begin) {
      sums.add_row(row, count, place, rules_, *run);
    } else {
      sums.add_row(row, count, place, rules_);
    }
  }

 private:
  Index offset_of(Index at_y, Index at_z) const {
    const AxisSources &x = input_.sources[0], &y = input_.sources[1], &z = input_.sources[2];
    return position(x, x.own_begin) * stride_[0] + position(y, at_y) * stride_[1] + position(z, at_z) * stride_[2];
  }
  RowPlace place_of(Index at_y, Index at_z) const {
    const AxisSources &y = input_.sources[1], &z = input_.sources[2];
    const Index in_image = input_.own_begin[0] * image_stride_[0] +
                           (input_.own_begin[1] + at_y - y.own_begin) * image_stride_[1] +
                           (input_.own_begin[2] + at_z - z.own_begin) * image_stride_[2];
    return {stride_[0], in_image, image_stride_[0]};
  }
  static Index position(const AxisSources& axis, Index at) { return axis.positions[static_cast<std::size_t>(at)]; }

  const TileInput& input_;
  const VoxelRules& rules_;
  const T* voxels_;
  std::array<Index, 3> stride_;
  std::array<Index, 3> image_stride_;
};

template <class Real>
InputSums gather(const Plan& plan, const TileInput& input, const VoxelRules& rules, bool shows_missing, Real* port,
                 const PieceFilled& filled) {
  const AxisSources &x = input.sources[0], &y = input.sources[1], &z = input.sources[2];
  const std::array<Index, 3> stride = device_strides(plan, input.voxels);
  const auto outside = outside_value<Real>(plan.spec, shows_missing);
  const Index num_rows = y.extent() * z.extent();
  const Index row_length = x.extent();
  const bool streams = streaming_pays(num_rows * row_length, sizeof(Real));
  const VoxelPolicy policy{plan.spec.non_finite != NonFinite::error, rules, shows_missing};
  FilledRows filled_rows(input_pieces(plan), filled);
  InputSums total;
  std::mutex mutex;
  const auto gather_rows = [&](Index begin, Index end) {
    InputSums part;
    with_element(input.voxels.element, [&](auto type) {
      using T = decltype(type);
      const auto* voxels = static_cast<const T*>(input.voxels.data);
      const OwnVoxels<T> own_voxels(plan, input, rules);
      for (Index i = begin; i < end; ++i) {
        const Index at_y = i % y.extent();
        const Index at_z = i / y.extent();
        const Index from_y = y.positions[static_cast<std::size_t>(at_y)];
        const Index from_z = z.positions[static_cast<std::size_t>(at_z)];
        Real* out = port + i * row_length;
        if (from_y == kPadding || from_z == kPadding) {
          std::fill_n(out, row_length, Real(0));
        } else if (from_y < 0 || from_z < 0) {
          outside_row(x, outside, out);
        } else {
          const T* row = voxels + from_y * stride[1] + from_z * stride[2];
          const RunFacts run = gather_row(row, stride[0], x, outside, policy, streams, out);
          if (!shows_missing) own_voxels.add_row(at_y, at_z, run, part);
        }
      }
    });
    end_stream();
    if (filled) filled_rows.add(begin, end);
    const std::lock_guard lock(mutex);
    total.add(part);
  };
  for_each_rows(num_rows, row_length * static_cast<Index>(sizeof(Real)), gather_rows);
  return total;
}

}  // namespace

template <class Real>
InputSums gather_tile(const Plan& plan, const TileInput& input, const VoxelRules& rules, Real* port,
                      const PieceFilled& filled) {
  return gather(plan, input, rules, false, port, filled);
}

template <class Real>
void gather_missing(const Plan& plan, const TileInput& input, const VoxelRules& rules, Real* port,
                    const PieceFilled& filled) {
  gather(plan, input, rules, true, port, filled);
}

InputSums sum_own_voxels(const Plan& plan, const TileInput& input, const VoxelRules& rules) {
  const AxisSources &x = input.sources[0], &y = input.sources[1], &z = input.sources[2];
  const Index num_rows = y.own_end - y.own_begin;
  InputSums total;
  std::mutex mutex;
  const auto add_rows = [&](Index begin, Index end) {
    InputSums part;
    with_element(input.voxels.element, [&](auto type) {
      const OwnVoxels<decltype(type)> own_voxels(plan, input, rules);
      for (Index i = begin; i < end; ++i) {
        const Index at_y = y.own_begin + i % num_rows;
        own_voxels.add_row(at_y, z.own_begin + i / num_rows, {}, part);
      }
    });
    const std::lock_guard lock(mutex);
    total.add(part);
  };
  const auto voxel_bytes = static_cast<Index>(size_of(input.voxels.element));
  for_each_rows(num_rows * (z.own_end - z.own_begin), (x.own_end - x.own_begin) * voxel_bytes, add_rows);
  return total;
}

template InputSums gather_tile(const Plan&, const TileInput&, const VoxelRules&, float*, const PieceFilled&);
template InputSums gather_tile(const Plan&, const TileInput&, const VoxelRules&, double*, const PieceFilled&);
template void gather_missing(const Plan&, const TileInput&, const VoxelRules&, float*, const PieceFilled&);
template void gather_missing(const Plan&, const TileInput&, const VoxelRules&, double*, const PieceFilled&);

}  // namespace convoy::inline v0
