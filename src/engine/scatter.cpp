#include "engine/scatter.hpp"

#include <mutex>
#include <type_traits>

#include "base/boundary_rule.hpp"
#include "engine/row_loop.hpp"

namespace convoy::inline v0 {
namespace {

/// Sums up over threads, in whatever order they finish.
class SharedSums {
 public:
  void add(const OutputSums& part) {
    const std::lock_guard lock(mutex_);
    total_.add(part);
  }
  OutputSums total() const { return total_; }

 private:
  std::mutex mutex_;
  OutputSums total_;
};

/// Lets threads on when what they want to read is there.
class PieceGate {
 public:
  PieceGate(const Pieces& pieces, const AwaitPiece& await) : pieces_(pieces), await_(await) {}

  void pass(Index last_row) {
    if (!await_) return;
    const int wanted = pieces_.of_row(last_row);
    const std::lock_guard lock(mutex_);
    while (num_arrived_ <= wanted) {
      await_(num_arrived_);
      ++num_arrived_;
    }
  }

 private:
  Pieces pieces_;
  const AwaitPiece& await_;
  std::mutex mutex_;
  int num_arrived_ = 0;
};

template <class T>
T scaled_voxel(double value, Index& saturated) {
  if constexpr (is_floating_voxel<T>) {
    constexpr double kHighest = facts_of(element_of<T>()).highest;
    if (value >= -kHighest && value <= kHighest) return static_cast<T>(value);
    ++saturated;
    return static_cast<T>(value > 0 ? kHighest : -kHighest);
  } else {
    return to_voxel<T>(value, saturated);
  }
}

template <class T, class Real>
void write_scaled_row(const Real* values, Index count, T* out, Index stride, const OutputScale& scale,
                      OutputSums& sums) {
  const bool clips = scale.clips();
  if (!clips) sums.sum += scale.factor * sum_of(values, count);
  for (Index i = 0; i < count; ++i) {
    double value = scale.factor * static_cast<double>(values[i]);
    if (clips) {
      value = std::clamp(value, scale.lowest, scale.highest);
      sums.sum += value;
    }
    out[i * stride] = scaled_voxel<T>(value, sums.saturated);
  }
}

template <class T, class Real>
void write_row(const Real* values, Index count, T* out, Index stride, bool streams, OutputSums& sums) {
  if constexpr (std::is_same_v<T, Real>) {
    if (stride == 1 && streams) {
      sums.sum += stream_copy_and_sum(out, values, count);
      return;
    }
  }
  sums.sum += sum_of(values, count);
  if (stride == 1) {
    for (Index i = 0; i < count; ++i) out[i] = to_voxel<T>(values[i], sums.saturated);
  } else {
    for (Index i = 0; i < count; ++i) out[i * stride] = to_voxel<T>(values[i], sums.saturated);
  }
}

/// For each image position on an axis: the raw outputs of this tile (counted from the tile's begin) that fold onto it.
std::vector<std::vector<Index>> folded_onto(const Plan& plan, int d, const TileIndex& tile) {
  const AxisPlan& axis = device_axis(plan, d);
  const AxisOutputs outputs = tile_outputs(plan, tile)[static_cast<std::size_t>(d)];
  const BoundaryRule rule = boundary_rule(plan.spec.boundary, axis.image);
  std::vector<std::vector<Index>> onto(static_cast<std::size_t>(axis.folded_size));
  for (Index i = 0; i < outputs.count; ++i) {
    const Index at = rule.source_of(outputs.begin + i + axis.fold_begin);
    if (at < axis.folded_begin || at >= axis.folded_begin + axis.folded_size) continue;
    onto[static_cast<std::size_t>(at - axis.folded_begin)].push_back(i);
  }
  return onto;
}

}  // namespace

template <class Real>
OutputSums scatter_tile(const Plan& plan, const TileOutputs& outputs, const Real* port, const MutableImageView& array,
                        const AwaitPiece& await, const OutputScale& scale) {
  const AxisOutputs &x = outputs[0], &y = outputs[1], &z = outputs[2];
  const Index port_row = device_axis(plan, 0).extent;
  const Index port_rows = device_axis(plan, 1).tile_output;
  const std::array<Index, 3> stride = device_strides(plan, array);
  const Index first = x.begin * stride[0] + y.begin * stride[1] + z.begin * stride[2];
  // Tiles may be small, and the image of them not: who reads it does so when all are written.
  const bool streams = streaming_pays(num_voxels(array.shape), sizeof(Real));
  PieceGate gate(output_pieces(plan), await);
  SharedSums sums;
  for_each_rows(y.count * z.count, x.count * static_cast<Index>(sizeof(Real)), [&](Index begin, Index end) {
    const auto row_in_port = [&](Index i) { return i / y.count * port_rows + i % y.count; };
    gate.pass(row_in_port(end - 1));
    OutputSums part;
    with_element(array.element, [&](auto type) {
      using T = decltype(type);
      for (Index i = begin; i < end; ++i) {
        T* out = static_cast<T*>(array.data) + first + i % y.count * stride[1] + i / y.count * stride[2];
        const Real* row = port + row_in_port(i) * port_row;
        if (scale.changes()) {
          write_scaled_row(row, x.count, out, stride[0], scale, part);
        } else {
          write_row(row, x.count, out, stride[0], streams, part);
        }
      }
    });
    end_stream();
    sums.add(part);
  });
  return sums.total();
}

template <class Real>
OutputSums sum_output_voxels(const Plan& plan, const TileOutputs& outputs, const ImageView& array,
                             const AwaitPiece& await) {
  const AxisOutputs &x = outputs[0], &y = outputs[1], &z = outputs[2];
  const Index port_rows = device_axis(plan, 1).tile_output;
  const std::array<Index, 3> stride = device_strides(plan, array);
  const Real* first = static_cast<const Real*>(array.data) + x.begin + y.begin * stride[1] + z.begin * stride[2];
  PieceGate gate(output_pieces(plan), await);
  SharedSums sums;
  for_each_rows(y.count * z.count, x.count * static_cast<Index>(sizeof(Real)), [&](Index begin, Index end) {
    gate.pass((end - 1) / y.count * port_rows + (end - 1) % y.count);
    OutputSums part;
    for (Index i = begin; i < end; ++i) {
      part.sum += sum_of(first + i % y.count * stride[1] + i / y.count * stride[2], x.count);
    }
    sums.add(part);
  });
  return sums.total();
}

template <class Real>
void fold_tile(const Plan& plan, const TileIndex& tile, const Real* port, Real* sums) {
  const auto onto_x = folded_onto(plan, 0, tile);
  const auto onto_y = folded_onto(plan, 1, tile);
  const auto onto_z = folded_onto(plan, 2, tile);
  const Index port_row = device_axis(plan, 0).extent;
  const Index port_plane = port_row * device_axis(plan, 1).tile_output;
  const std::array<Index, 3> stride = device_strides(plan, output_shape(plan.spec));
  const Index rows = static_cast<Index>(onto_y.size());
  host_workers().for_each(rows * static_cast<Index>(onto_z.size()), 16, [&](int, Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      Real* out = sums + (i % rows) * stride[1] + (i / rows) * stride[2];
      for (const Index raw_z : onto_z[static_cast<std::size_t>(i / rows)]) {
        for (const Index raw_y : onto_y[static_cast<std::size_t>(i % rows)]) {
          const Real* raw = port + raw_z * port_plane + raw_y * port_row;
          for (std::size_t at = 0; at < onto_x.size(); ++at) {
            for (const Index raw_x : onto_x[at]) out[static_cast<Index>(at) * stride[0]] += raw[raw_x];
          }
        }
      }
    }
  });
}

template <class Real>
OutputSums write_folded(const Real* sums, const MutableImageView& output) {
  const Shape& shape = output.shape;
  const Index num_rows = output.batch * shape.z * shape.y;
  SharedSums total;
  for_each_rows(num_rows, shape.x * static_cast<Index>(sizeof(Real)), [&](Index begin, Index end) {
    OutputSums part;
    with_element(output.element, [&](auto type) {
      const VoxelRows<decltype(type)> rows(output);
      for (Index row = begin; row < end; ++row) {
        write_row(sums + row * shape.x, shape.x, rows.mutable_row(row), rows.stride(), false, part);
      }
    });
    total.add(part);
  });
  return total.total();
}

#define CONVOY_INSTANTIATE(Real)                                                                                     \
  template OutputSums scatter_tile(const Plan&, const TileOutputs&, const Real*, const MutableImageView&,            \
                                   const AwaitPiece&, const OutputScale&);                                           \
  template OutputSums sum_output_voxels<Real>(const Plan&, const TileOutputs&, const ImageView&, const AwaitPiece&); \
  template void fold_tile(const Plan&, const TileIndex&, const Real*, Real*);                                        \
  template OutputSums write_folded(const Real*, const MutableImageView&);
CONVOY_INSTANTIATE(float)
CONVOY_INSTANTIATE(double)
#undef CONVOY_INSTANTIATE

}  // namespace convoy::inline v0
