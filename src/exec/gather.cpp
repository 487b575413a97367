#include "exec/gather.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <type_traits>
#include <vector>

#include "common/stream_copy.hpp"
#include "common/voxel_rows.hpp"
#include "common/worker_pool.hpp"
#include "exec/boundary_map.hpp"

namespace convoy {
namespace {

constexpr Index kPadding = -2;  // beyond the tile's input: always 0

const AxisPlan& device_axis(const Plan& plan, int d) {
  return plan.axes[static_cast<std::size_t>(plan.device_axes[d])];
}

/// For each position on a device axis of a tile: the image position it shows, kOutside or kPadding.
struct AxisSources {
  std::vector<Index> positions;
  Index run_begin = 0;  ///< [run_begin, run_end) shows neighbours side by side, nearly always most of the axis
  Index run_end = 0;
};

AxisSources axis_sources(const Plan& plan, int d, const TileIndex& tile) {
  const int a = plan.device_axes[d];
  const AxisPlan& axis = plan.axes[static_cast<std::size_t>(a)];
  const Index begin = tile[static_cast<std::size_t>(a)] * axis.tile_output + axis.input_offset;
  AxisSources sources{source_positions(reading_boundary(plan.spec), begin, axis.tile_input, axis.image), 0, 0};
  sources.positions.resize(static_cast<std::size_t>(axis.extent), kPadding);
  sources.run_begin = std::clamp<Index>(-begin, 0, axis.tile_input);
  sources.run_end = std::clamp<Index>(axis.image - begin, sources.run_begin, axis.tile_input);
  return sources;
}

bool streaming_pays(Index voxels, std::size_t voxel_bytes) {
  return static_cast<std::size_t>(voxels) * voxel_bytes >= kStreamBytes;
}

template <class T, class Real>
Real as_real(T value, NonFinite policy) {
  if constexpr (std::is_floating_point_v<T>) {
    if (policy == NonFinite::zero && !std::isfinite(value)) return 0;
  }
  return static_cast<Real>(value);
}

/// One row of a tile, where the outer axes lie inside the image. `streams`: large copies go past the caches.
template <class T, class Real>
void gather_row(const T* row, Index stride, const AxisSources& x, Real outside, NonFinite policy, bool streams,
                Real* out) {
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
  if (std::is_same_v<T, Real> && stride == 1 && policy == NonFinite::error && streams) {
    stream_copy(out + x.run_begin, from, static_cast<std::size_t>(length) * sizeof(Real));
  } else if (stride == 1) {  // a loop of its own, so that it can be vectorised
    for (Index i = 0; i < length; ++i) out[x.run_begin + i] = as_real<T, Real>(from[i], policy);
  } else {
    for (Index i = 0; i < length; ++i) out[x.run_begin + i] = as_real<T, Real>(from[i * stride], policy);
  }
  slow(x.run_end, static_cast<Index>(x.positions.size()));
}

/// A row that lies outside the image: constant as far as the tile reads, padding beyond.
template <class Real>
void outside_row(const AxisSources& x, Real outside, Real* out) {
  for (std::size_t i = 0; i < x.positions.size(); ++i) out[i] = x.positions[i] == kPadding ? Real(0) : outside;
}

template <class Real>
Real outside_value(const ConvolutionSpec& spec) {
  return reading_boundary(spec) == Boundary::constant ? static_cast<Real>(spec.constant) : Real(0);
}

/// The outputs of a tile on one device axis: raw position, and how many lie inside the output.
struct AxisOutputs {
  Index begin = 0;
  Index count = 0;
};

AxisOutputs axis_outputs(const Plan& plan, int d, const TileIndex& tile) {
  const int a = plan.device_axes[d];
  const AxisPlan& axis = plan.axes[static_cast<std::size_t>(a)];
  const Index begin = tile[static_cast<std::size_t>(a)] * axis.tile_output;
  return {begin, std::min(axis.tile_output, axis.output - begin)};
}

/// Sums up over threads, in whatever order they finish.
class SharedSums {
 public:
  void add(const OutputSums& part) {
    const std::lock_guard lock(mutex_);
    total_.sum += part.sum;
    total_.saturated += part.saturated;
  }
  OutputSums total() const { return total_; }

 private:
  std::mutex mutex_;
  OutputSums total_;
};

template <class T, class Real>
void write_row(const Real* values, Index count, T* out, Index stride, bool streams, OutputSums& sums) {
  sums.sum += sum_of(values, count);
  if (std::is_same_v<T, Real> && stride == 1 && streams) {
    stream_copy(out, values, static_cast<std::size_t>(count) * sizeof(T));
  } else if (stride == 1) {
    for (Index i = 0; i < count; ++i) out[i] = to_voxel<T>(values[i], sums.saturated);
  } else {
    for (Index i = 0; i < count; ++i) out[i * stride] = to_voxel<T>(values[i], sums.saturated);
  }
}

/// For each image position on an axis: the raw outputs of this tile (counted from the tile's begin) that fold onto it.
std::vector<std::vector<Index>> folded_onto(const Plan& plan, int d, const TileIndex& tile) {
  const AxisPlan& axis = device_axis(plan, d);
  const AxisOutputs outputs = axis_outputs(plan, d, tile);
  std::vector<std::vector<Index>> onto(static_cast<std::size_t>(axis.image));
  for (Index i = 0; i < outputs.count; ++i) {
    const Index at = source_position(plan.spec.boundary, outputs.begin + i + axis.fold_begin, axis.image);
    onto[static_cast<std::size_t>(at)].push_back(i);
  }
  return onto;
}

}  // namespace

std::array<Index, 3> device_strides(const Plan& plan, const Shape& shape) {
  const std::array<Index, 3> of_axis{shape.y * shape.x, shape.x, 1};
  std::array<Index, 3> strides{};
  for (std::size_t d = 0; d < 3; ++d) strides[d] = of_axis[static_cast<std::size_t>(plan.device_axes[d])];
  return strides;
}

TileIndex tile_index(const Plan& plan, Index t) {
  const Index nx = plan.axes[2].num_tiles;
  const Index ny = plan.axes[1].num_tiles;
  return {t / nx / ny, t / nx % ny, t % nx};
}

template <class Real>
void gather_tile(const Plan& plan, const ImageView& image, const TileIndex& tile, Real* port) {
  const AxisSources x = axis_sources(plan, 0, tile);
  const AxisSources y = axis_sources(plan, 1, tile);
  const AxisSources z = axis_sources(plan, 2, tile);
  const Index rows = static_cast<Index>(y.positions.size());
  const Index row_length = static_cast<Index>(x.positions.size());
  const std::array<Index, 3> stride = device_strides(plan, image.shape);
  const Real outside = outside_value<Real>(plan.spec);
  const bool streams = streaming_pays(rows * row_length * static_cast<Index>(z.positions.size()), sizeof(Real));
  host_workers().for_each(rows * static_cast<Index>(z.positions.size()), 64, [&](int, Index begin, Index end) {
    with_element(image.element, [&](auto type) {
      using T = decltype(type);
      for (Index i = begin; i < end; ++i) {
        const Index from_y = y.positions[static_cast<std::size_t>(i % rows)];
        const Index from_z = z.positions[static_cast<std::size_t>(i / rows)];
        Real* out = port + i * row_length;
        if (from_y == kPadding || from_z == kPadding) {
          std::fill_n(out, row_length, Real(0));
        } else if (from_y < 0 || from_z < 0) {
          outside_row(x, outside, out);
        } else {
          const T* row = static_cast<const T*>(image.data) + from_y * stride[1] + from_z * stride[2];
          gather_row(row, stride[0], x, outside, plan.spec.non_finite, streams, out);
        }
      }
    });
    end_stream();
  });
}

template <class Real>
OutputSums scatter_tile(const Plan& plan, const TileIndex& tile, const Real* port, const MutableImageView& output) {
  const AxisOutputs x = axis_outputs(plan, 0, tile);
  const AxisOutputs y = axis_outputs(plan, 1, tile);
  const AxisOutputs z = axis_outputs(plan, 2, tile);
  const Index port_row = device_axis(plan, 0).extent;
  const Index port_plane = port_row * device_axis(plan, 1).tile_output;
  const std::array<Index, 3> stride = device_strides(plan, output.shape);
  const bool streams = streaming_pays(x.count * y.count * z.count, sizeof(Real));
  SharedSums sums;
  host_workers().for_each(y.count * z.count, 64, [&](int, Index begin, Index end) {
    OutputSums part;
    with_element(output.element, [&](auto type) {
      using T = decltype(type);
      for (Index i = begin; i < end; ++i) {
        const Index row_y = i % y.count;
        const Index row_z = i / y.count;
        T* out = static_cast<T*>(output.data) + x.begin * stride[0] + (y.begin + row_y) * stride[1] +
                 (z.begin + row_z) * stride[2];
        write_row(port + row_z * port_plane + row_y * port_row, x.count, out, stride[0], streams, part);
      }
    });
    end_stream();
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
  const Shape& shape = plan.spec.image;
  const std::array<Index, 3> stride = device_strides(plan, shape);
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
OutputSums write_folded(const Plan& plan, const Real* sums, const MutableImageView& output) {
  const Shape& shape = plan.spec.image;
  SharedSums total;
  host_workers().for_each(shape.z * shape.y, 64, [&](int, Index begin, Index end) {
    OutputSums part;
    with_element(output.element, [&](auto type) {
      using T = decltype(type);
      for (Index row = begin; row < end; ++row) {
        write_row(sums + row * shape.x, shape.x, static_cast<T*>(output.data) + row * shape.x, 1, false, part);
      }
    });
    total.add(part);
  });
  return total.total();
}

InputSums scan(const ImageView& image) {
  InputSums total;
  total.first_non_finite = std::numeric_limits<Index>::max();
  std::mutex mutex;
  host_workers().for_each(num_voxels(image.shape), 1 << 16, [&](int, Index begin, Index end) {
    InputSums part;
    part.first_non_finite = std::numeric_limits<Index>::max();
    with_element(image.element, [&](auto type) {
      using T = decltype(type);
      const T* voxels = static_cast<const T*>(image.data);
      part.sum = sum_of(voxels + begin, end - begin);
      if (std::isfinite(part.sum)) return;
      part.sum = 0;  // something is not finite: look closely
      for (Index i = begin; i < end; ++i) {
        const double value = static_cast<double>(voxels[i]);
        if (std::isfinite(value)) {
          part.sum += value;
        } else {
          ++part.non_finite;
          part.first_non_finite = std::min(part.first_non_finite, i);
        }
      }
    });
    const std::lock_guard lock(mutex);
    total.sum += part.sum;
    total.non_finite += part.non_finite;
    total.first_non_finite = std::min(total.first_non_finite, part.first_non_finite);
  });
  return total;
}

template void gather_tile(const Plan&, const ImageView&, const TileIndex&, float*);
template void gather_tile(const Plan&, const ImageView&, const TileIndex&, double*);
template OutputSums scatter_tile(const Plan&, const TileIndex&, const float*, const MutableImageView&);
template OutputSums scatter_tile(const Plan&, const TileIndex&, const double*, const MutableImageView&);
template void fold_tile(const Plan&, const TileIndex&, const float*, float*);
template void fold_tile(const Plan&, const TileIndex&, const double*, double*);
template OutputSums write_folded(const Plan&, const float*, const MutableImageView&);
template OutputSums write_folded(const Plan&, const double*, const MutableImageView&);

}  // namespace convoy
