#include "engine/weighing.hpp"

#include <algorithm>
#include <array>

#include "base/boundary_rule.hpp"
#include "base/voxel_rows.hpp"
#include "base/worker_pool.hpp"
#include "convoy/error.hpp"
#include "engine/gather.hpp"
#include "planner/layout.hpp"
#include "program/program.hpp"

namespace convoy::inline v0 {
namespace {

/// Voxels that are worth handing out to another thread.
constexpr Index kGrain = 1 << 14;

/// The output positions of a tile along one device axis, as positions of the weight images.
std::vector<Index> weight_positions(const Plan& plan, int d, const AxisOutputs& outputs) {
  const AxisPlan& axis = device_axis(plan, d);
  const int image_axis = plan.device_axes[static_cast<std::size_t>(d)];
  const Index begin = plan.fold_output ? axis.fold_begin : plan.spec.region ? plan.spec.region->begin[image_axis] : 0;
  const BoundaryRule rule = boundary_rule(plan.spec.boundary, axis.image);
  std::vector<Index> positions;
  for (Index i = 0; i < outputs.count; ++i) {
    const Index at = outputs.begin + i + begin;
    positions.push_back(plan.fold_output ? rule.source_of(at) : at);
  }
  return positions;
}

template <class Real>
std::vector<Real> copied(const ImageView& given) {
  std::vector<Real> voxels(static_cast<std::size_t>(num_voxels(given.as_one().shape)));
  with_element(given.element, [&](auto type) {
    const auto* from = static_cast<const decltype(type)*>(given.data);
    host_workers().for_each(static_cast<Index>(voxels.size()), kGrain, [&](int, Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        voxels[static_cast<std::size_t>(i)] = static_cast<Real>(static_cast<double>(from[i]));
      }
    });
  });
  return voxels;
}

}  // namespace

Weights::Weights(const ConvolutionSpec& spec, const ImageView& given) : shape_(given.shape) {
  try {
    if (spec.precision == Precision::f32) {
      voxels_ = copied<float>(given);
    } else {
      voxels_ = copied<double>(given);
    }
  } catch (const std::bad_alloc&) {
    const auto bytes = static_cast<std::uint64_t>(num_voxels(given.as_one().shape)) *
                       (spec.precision == Precision::f32 ? sizeof(float) : sizeof(double));
    throw OutOfMemory("the weight images do not fit this machine's memory beside what it holds; crop or coarsen them",
                      bytes, 0, "memory of this process");
  }
}

ImageView Weights::image(Index number) const {
  return std::visit(
      [&](const auto& voxels) {
        const auto one = static_cast<std::size_t>(num_voxels(shape_));
        return ImageView(std::span(voxels).subspan(static_cast<std::size_t>(number) * one, one), shape_);
      },
      voxels_);
}

template <class Real>
TileWeighing<Real>::TileWeighing(const Plan& plan, backend::Session& session, const Weights* weights)
    : plan_(plan), fan_(kernel_fan(plan.spec)), session_(session), weights_(weights) {
  if (of_inputs()) tile_.resize(static_cast<std::size_t>(layout_of(plan).image_bytes() / sizeof(Real)));
}

template <class Real>
Real* TileWeighing<Real>::input(Index number, int set) const {
  return reinterpret_cast<Real*>(session_.port(ports::input_of(number), set));
}
template <class Real>
Real* TileWeighing<Real>::output(Index number, int set) const {
  return reinterpret_cast<Real*>(session_.port(ports::output_of(fan_, number), set));
}

template <class Real>
void TileWeighing<Real>::spread_input(const TileIndex& tile, int set) {
  const Real* const seen = input(0, set);
  for (Index number = fan_.num - 1; number >= 0; --number) {  // the first last, in place
    gather_tile(plan_, input_from_image(plan_, weights_->image(number), tile), {}, tile_.data());
    Real* const to = input(number, set);
    host_workers().for_each(static_cast<Index>(tile_.size()), kGrain, [&](int, Index begin, Index end) {
      for (Index i = begin; i < end; ++i) to[i] = seen[i] * tile_[static_cast<std::size_t>(i)];
    });
  }
}

template <class Real>
void TileWeighing<Real>::gather_outputs(const TileIndex& tile, int set) {
  for (Index number = 0; number < fan_.num; ++number) weigh_output(tile, number, set);
}

/// Output `number` times its weights, added to the first; or in place, if it is that.
template <class Real>
void TileWeighing<Real>::weigh_output(const TileIndex& tile, Index number, int set) {
  const auto outputs = tile_outputs(plan_, tile);
  std::array<std::vector<Index>, 3> positions;
  for (int d = 0; d < 3; ++d) {
    positions[static_cast<std::size_t>(d)] = weight_positions(plan_, d, outputs[static_cast<std::size_t>(d)]);
  }
  const auto& [x, y, z] = positions;
  const ImageView image = weights_->image(number);
  const auto* const weights = static_cast<const Real*>(image.data);
  const std::array<Index, 3> stride = device_strides(plan_, image.shape);
  const Index row = device_axis(plan_, 0).extent;
  const Index rows = device_axis(plan_, 1).tile_output;
  const Real* const from = output(number, set);
  Real* const to = output(0, set);
  const auto rows_of_tile = static_cast<Index>(y.size());
  host_workers().for_each(rows_of_tile * static_cast<Index>(z.size()), 16, [&](int, Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const Real* const weight = weights + y[static_cast<std::size_t>(i % rows_of_tile)] * stride[1] +
                                 z[static_cast<std::size_t>(i / rows_of_tile)] * stride[2];
      const Index first = (i / rows_of_tile * rows + i % rows_of_tile) * row;
      for (std::size_t at = 0; at < x.size(); ++at) {
        const Real value = from[first + static_cast<Index>(at)] * weight[x[at] * stride[0]];
        Real& sum = to[first + static_cast<Index>(at)];
        sum = number == 0 ? value : sum + value;
      }
    }
  });
}

template class TileWeighing<float>;
template class TileWeighing<double>;

}  // namespace convoy::inline v0
