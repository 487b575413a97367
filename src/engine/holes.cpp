#include "engine/holes.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <mutex>
#include <utility>

#include "base/boundary_rule.hpp"
#include "base/voxel_rows.hpp"
#include "engine/row_loop.hpp"

namespace convoy::inline v0 {
namespace {

bool sees_nan_outside(const ConvolutionSpec& spec) {
  return spec.non_finite == NonFinite::error && reading_boundary(spec) == Boundary::constant &&
         std::isnan(spec.constant);
}

/// Along one device axis, for each output of a tile: whether it sees what lies outside, and where its own voxel lies in
/// what the tile reads.
struct AxisHoles {
  std::vector<char> sees_outside;
  std::vector<Index> own;
};

AxisHoles axis_holes(const Plan& plan, int d, const TileIndex& tile, const AxisOutputs& outputs,
                     const AxisSources& sources) {
  const int a = plan.device_axes[d];
  const AxisPlan& axis = plan.axes[static_cast<std::size_t>(a)];
  const Index read_begin = tile[static_cast<std::size_t>(a)] * axis.tile_output + axis.input_offset;
  const Index region_begin = plan.spec.region ? plan.spec.region->begin[a] : 0;
  AxisHoles holes;
  for (Index i = 0; i < outputs.count; ++i) {
    const Index last_read = outputs.begin + i + axis.shift;
    holes.sees_outside.push_back(last_read - (axis.kernel - 1) < 0 || last_read > axis.image - 1);
    if (!plan.spec.preserve_nan) continue;
    Index at = outputs.begin + i + region_begin - read_begin;
    if (at < 0 || at >= axis.tile_input) at = (at % axis.image + axis.image) % axis.image;  // an image without end
    holes.own.push_back(sources.positions[static_cast<std::size_t>(at)]);
  }
  return holes;
}

/// Goes through the rows of a tile's outputs; find(y, z, first voxel of the row in the port, list) adds to the list.
template <class Find>
std::vector<Index> find_in_rows(const Plan& plan, const TileOutputs& outputs, const Find& find) {
  const Index port_row = device_axis(plan, 0).extent;
  const Index port_rows = device_axis(plan, 1).tile_output;
  const Index num_rows = outputs[1].count;
  std::vector<Index> all;
  std::mutex mutex;
  for_each_rows(num_rows * outputs[2].count, outputs[0].count * static_cast<Index>(sizeof(double)),
                [&](Index begin, Index end) {
                  std::vector<Index> found;
                  for (Index i = begin; i < end; ++i) {
                    const Index y = i % num_rows;
                    const Index z = i / num_rows;
                    find(y, z, (z * port_rows + y) * port_row, found);
                  }
                  const std::lock_guard lock(mutex);
                  all.insert(all.end(), found.begin(), found.end());
                });
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

bool makes_holes(const ConvolutionSpec& spec) {
  return spec.preserve_nan || spec.non_finite == NonFinite::interpolate || sees_nan_outside(spec);
}

int num_parts(const ConvolutionSpec& spec, Element image) {
  return is_complex(image) || spec.non_finite == NonFinite::interpolate ? 2 : 1;
}

std::vector<Index> find_holes(const Plan& plan, const TileIndex& tile, const TileInput& input) {
  const bool outside = sees_nan_outside(plan.spec);
  if (!outside && !plan.spec.preserve_nan) return {};
  const TileOutputs outputs = tile_outputs(plan, tile);
  std::array<AxisHoles, 3> axes;
  for (int d = 0; d < 3; ++d) {
    const auto place = static_cast<std::size_t>(d);
    axes[place] = axis_holes(plan, d, tile, outputs[place], input.sources[place]);
  }
  const std::array<Index, 3> stride = device_strides(plan, input.voxels);
  const auto at = [](const auto& list, Index i) { return list[static_cast<std::size_t>(i)]; };
  return with_element(input.voxels.element, [&]<class T>(T) {
    const auto* voxels = static_cast<const T*>(input.voxels.data);
    return find_in_rows(plan, outputs, [&](Index y, Index z, Index first, std::vector<Index>& found) {
      const bool row_is_outside = outside && (at(axes[1].sees_outside, y) != 0 || at(axes[2].sees_outside, z) != 0);
      const T* row =
          plan.spec.preserve_nan ? voxels + at(axes[1].own, y) * stride[1] + at(axes[2].own, z) * stride[2] : nullptr;
      for (Index x = 0; x < outputs[0].count; ++x) {
        bool is_hole = row_is_outside || (outside && at(axes[0].sees_outside, x) != 0);
        if constexpr (is_floating_voxel<T>) {
          if (row != nullptr && !is_hole) is_hole = !std::isfinite(row[at(axes[0].own, x) * stride[0]]);
        }
        if (is_hole) found.push_back(first + x);
      }
    });
  });
}

template <class Real>
std::size_t HoledOutputs<Real>::port_voxels() const {
  return static_cast<std::size_t>(device_axis(plan_, 0).extent * device_axis(plan_, 1).tile_output *
                                  device_axis(plan_, 2).tile_output);
}

template <class Real>
void HoledOutputs<Real>::keep(const Real* port) {
  kept_.resize(port_voxels());
  std::copy_n(port, kept_.size(), kept_.data());
}

/// The weight of what is known is the kernel's sum less what is missing: without missing voxels it is exactly that sum,
/// whatever lies outside.
template <class Real>
void HoledOutputs<Real>::divide(const TileOutputs& outputs, const Real* missing, std::vector<Index>& holes) {
  const double sum = rules_.kernel_sum;
  const std::vector<Index> unknown =
      find_in_rows(plan_, outputs, [&](Index, Index, Index first, std::vector<Index>& found) {
        for (Index voxel = first; voxel < first + outputs[0].count; ++voxel) {
          const double weight = sum - static_cast<double>(missing[voxel]);
          Real& value = kept_[static_cast<std::size_t>(voxel)];
          if (std::abs(weight) > rules_.least_weight) {
            value = static_cast<Real>(static_cast<double>(value) * (sum / weight));
          } else {
            found.push_back(voxel);
          }
        }
      });
  std::vector<Index> all;
  std::set_union(holes.begin(), holes.end(), unknown.begin(), unknown.end(), std::back_inserter(all));
  holes = std::move(all);
}

template <class Real>
OutputSums HoledOutputs<Real>::write(const TileOutputs& outputs, Real* port, std::vector<Index> holes,
                                     const MutableImageView& array) {
  Real* values = port;
  if (plan_.spec.non_finite == NonFinite::interpolate) {
    divide(outputs, port, holes);
    values = kept_.data();
  }
  for (const Index voxel : holes) values[voxel] = 0;
  OutputSums sums = scatter_tile(plan_, outputs, values, array);
  sums.nan = static_cast<Index>(holes.size());
  const Index port_row = device_axis(plan_, 0).extent;
  const Index port_rows = device_axis(plan_, 1).tile_output;
  const std::array<Index, 3> stride = device_strides(plan_, array);
  with_element(array.element, [&]<class T>(T) {
    if constexpr (is_floating_voxel<T>) {
      for (const Index voxel : holes) {
        const Index row = voxel / port_row;
        const Index at = (outputs[0].begin + voxel % port_row) * stride[0] +
                         (outputs[1].begin + row % port_rows) * stride[1] +
                         (outputs[2].begin + row / port_rows) * stride[2];
        static_cast<T*>(array.data)[at] = static_cast<T>(std::numeric_limits<float>::quiet_NaN());
      }
    }
  });
  return sums;
}

template class HoledOutputs<float>;
template class HoledOutputs<double>;

}  // namespace convoy::inline v0
