#include "device_arrays/tile_steps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/boundary_rule.hpp"
#include "convoy/error.hpp"
#include "planner/kernel_fan.hpp"

namespace convoy::inline v0 {
namespace {

template <class Value>
std::array<Index, 3> per_axis(const Value& value) {
  return {value(0), value(1), value(2)};
}

/// Two's complement, where negative positions occur.
void add(Dispatch& step, Index value) { step.parameters.push_back(parameter(static_cast<std::uint32_t>(value))); }
void add(Dispatch& step, const std::array<Index, 3>& values) {
  for (const Index value : values) add(step, value);
}
/// As two floats, which hold a double of the kernel's precision.
void add_number(Dispatch& step, double value) {
  const auto high = static_cast<float>(value);
  step.parameters.push_back(parameter(high));
  step.parameters.push_back(parameter(static_cast<float>(value - static_cast<double>(high))));
}

}  // namespace

/// Voxels of an array that a tile shows, or that it is written to.
struct TileSteps::Box {
  PerAxis begin;
  PerAxis count;
  Boundary boundary = Boundary::zero;
  double outside = 0;
  Shown shown = Shown::voxels;
};

TileSteps::TileSteps(const DeviceArraysPlan& plan, const CallersArray& image, const CallersArray& output)
    : plan_(plan), image_(image), output_(output), slots_(device_array_slots(plan)), fan_(kernel_fan(plan.spec)) {}

Index TileSteps::tile_on(std::size_t d, const TileIndex& tile) const {
  return tile[static_cast<std::size_t>(plan_.device_axes[d])];
}
TileSteps::PerAxis TileSteps::extents() const {
  return per_axis([&](std::size_t d) { return axis(d).extent; });
}
TileSteps::PerAxis TileSteps::first_inputs(const TileIndex& tile) const {
  return per_axis([&](std::size_t d) { return tile_on(d, tile) * axis(d).tile_output + axis(d).input_offset; });
}
/// As a position of the weight images, folded or not.
Index TileSteps::first_output(std::size_t d, const TileIndex& tile) const {
  const Index begin = tile_outputs(plan_, tile)[d].begin;
  if (plan_.fold_output) return begin + axis(d).fold_begin;
  return begin + (plan_.spec.region ? plan_.spec.region->begin[plan_.device_axes[d]] : 0);
}

Dispatch TileSteps::dispatch(const KernelSpec& kernel, std::vector<SlotId> slots, const PerAxis& threads) const {
  Dispatch step;
  step.kernel = &kernel;
  step.precision = plan_.spec.precision;
  step.slots = std::move(slots);
  for (std::size_t d = 0; d < 3; ++d) step.threads[d] = static_cast<std::uint64_t>(threads[d]);
  return step;
}

void TileSteps::add_rule(Dispatch& step, Boundary boundary) const {
  const auto rule = [&](std::size_t d) { return boundary_rule(boundary, axis(d).image); };
  add(step, static_cast<Index>(rule(0).kind));
  add(step, per_axis([&](std::size_t d) { return rule(d).period; }));
  add(step, rule(0).offset);
}

Dispatch TileSteps::gathered(const CallersArray& array, Index number, SlotId from, SlotId to, const Box& box) const {
  Dispatch step = dispatch(kernels::gather_voxels(array.element()), {from, to}, extents());
  add(step, extents());
  add(step, box.count);
  add(step, box.begin);
  add(step, per_axis([&](std::size_t d) { return array.shape()[plan_.device_axes[d]]; }));
  add(step, array.strides(plan_));
  add_rule(step, box.boundary);
  add_number(step, box.outside);
  add(step, static_cast<Index>(box.shown));
  add(step, array.origin(number));
  add(step, array.reversed(plan_));
  return step;
}

Dispatch TileSteps::gather(Index number, const TileIndex& tile, SlotId to) const {
  return gather(number, tile, to, plan_.spec.non_finite == NonFinite::error ? Shown::voxels : Shown::finite);
}
Dispatch TileSteps::gather(Index number, const TileIndex& tile, SlotId to, Shown shown) const {
  return gathered(image_, number, slots_.image, to,
                  {.begin = first_inputs(tile),
                   .count = per_axis([&](std::size_t d) { return axis(d).tile_input; }),
                   .boundary = reading_boundary(plan_.spec),
                   .outside = shown == Shown::missing ? 0 : outside(),
                   .shown = shown});
}
Dispatch TileSteps::gather_own(Index number, const TileIndex& tile, SlotId to) const {
  return gathered(image_, number, slots_.image, to,
                  {.begin = per_axis([&](std::size_t d) { return first_output(d, tile); }),
                   .count = per_axis([&](std::size_t d) { return tile_outputs(plan_, tile)[d].count; }),
                   .outside = std::numeric_limits<double>::quiet_NaN(),
                   .shown = Shown::nan_where_not});
}
Dispatch TileSteps::gather_weights(Index number, const TileIndex& tile, SlotId to) const {
  const bool of_outputs = fan_.kind == KernelFan::Kind::spread;
  const CallersArray weights("weight image", real(), weights_shape(plan_.spec), plan_.spec.num_kernels);
  const Boundary boundary = plan_.fold_output ? plan_.spec.boundary : reading_boundary(plan_.spec);
  return gathered(
      weights, number, slots_.weights, to,
      {.begin = of_outputs ? per_axis([&](std::size_t d) { return first_output(d, tile); }) : first_inputs(tile),
       .count = per_axis(
           [&](std::size_t d) { return of_outputs ? tile_outputs(plan_, tile)[d].count : axis(d).tile_input; }),
       .boundary = of_outputs && !plan_.fold_output ? Boundary::zero : boundary});
}

Dispatch TileSteps::weigh(SlotId tile, SlotId weights, SlotId to, bool adds) const {
  Dispatch step = dispatch(kernels::weigh, {tile, weights, to}, extents());
  add(step, extents());
  add(step, Index{adds ? 1 : 0});
  return step;
}

Dispatch TileSteps::known_share(SlotId missing, SlotId to) const {
  Dispatch step = dispatch(kernels::known_share, {missing, to}, extents());
  add(step, extents());
  add_number(step, plan_.kernel_sum);
  add_number(step, plan_.least_weight);
  step.parameters.push_back(parameter(std::numeric_limits<float>::quiet_NaN()));
  return step;
}

Dispatch TileSteps::scattered(Index number, SlotId from, const Box& box) const {
  Dispatch step = dispatch(kernels::scatter_voxels(output_.element()), {from, slots_.output}, box.count);
  add(step, axis(0).extent);
  add(step, axis(1).extent);
  add(step, box.count);
  add(step, box.begin);
  add(step, output_.strides(plan_));
  add(step, output_.origin(number));
  add(step, output_.reversed(plan_));
  return step;
}
Dispatch TileSteps::scatter(Index number, const TileIndex& tile, SlotId from) const {
  return scattered(number, from,
                   {.begin = per_axis([&](std::size_t d) { return tile_outputs(plan_, tile)[d].begin; }),
                    .count = per_axis([&](std::size_t d) { return tile_outputs(plan_, tile)[d].count; })});
}

void TileSteps::append_clear(SlotId tile, std::vector<Step>& steps) const {
  if (output_.is_dense()) return steps.emplace_back(Clear{slots_.output}), void();
  steps.emplace_back(Clear{tile});
  const PerAxis size = per_axis([&](std::size_t d) { return output_.shape()[plan_.device_axes[d]]; });
  const PerAxis step = extents();
  for (Index number = 0; number < output_.num_images(); ++number) {
    for (Index z = 0; z < size[2]; z += step[2]) {
      for (Index y = 0; y < size[1]; y += step[1]) {
        for (Index x = 0; x < size[0]; x += step[0]) {
          const PerAxis begin{x, y, z};
          const PerAxis count = per_axis([&](std::size_t d) { return std::min(step[d], size[d] - begin[d]); });
          steps.emplace_back(scattered(number, tile, {.begin = begin, .count = count}));
        }
      }
    }
  }
}

/// The image positions that the tile's raw outputs are added to.
AxisOutputs TileSteps::folded_onto(std::size_t d, const TileIndex& tile) const {
  const AxisOutputs raw = tile_outputs(plan_, tile)[d];
  const BoundaryRule rule = boundary_rule(plan_.spec.boundary, axis(d).image);
  Index first = axis(d).image;
  Index last = -1;
  for (Index i = 0; i < raw.count; ++i) {
    const Index at = rule.source_of(raw.begin + i + axis(d).fold_begin);
    first = std::min(first, at);
    last = std::max(last, at);
  }
  return {first, last - first + 1};
}
Dispatch TileSteps::fold(Index number, const TileIndex& tile, SlotId from) const {
  const PerAxis counts = per_axis([&](std::size_t d) { return folded_onto(d, tile).count; });
  Dispatch step = dispatch(kernels::fold_voxels, {from, slots_.output}, counts);
  add(step, axis(0).extent);
  add(step, axis(1).extent);
  add(step, counts);
  add(step, per_axis([&](std::size_t d) { return folded_onto(d, tile).begin; }));
  add(step, per_axis([&](std::size_t d) { return tile_outputs(plan_, tile)[d].begin + axis(d).fold_begin; }));
  add(step, per_axis([&](std::size_t d) { return tile_outputs(plan_, tile)[d].count; }));
  add(step, per_axis([&](std::size_t d) { return axis(d).image; }));
  add(step, output_.strides(plan_));
  add_rule(step, plan_.spec.boundary);
  add(step, output_.origin(number));
  add(step, output_.reversed(plan_));
  return step;
}

double TileSteps::outside() const {
  const double outside = reading_boundary(plan_.spec) == Boundary::constant ? plan_.spec.constant : 0;
  if (std::isfinite(static_cast<float>(outside))) return outside;
  throw Error(Errc::unsupported,
              fmt::format("the boundary constant {:g} is beyond single precision, in which it would be handed to "
                          "the device; use a Convolver",
                          outside));
}

TileAccess TileSteps::reads() const {
  TileAccess access = access_of(image_, &AxisPlan::tile_input);
  const Boundary boundary = reading_boundary(plan_.spec);
  for (std::size_t d = 0; d < 3; ++d) {
    access.axes[d].begin = axis(d).input_offset;
    access.axes[d].rule = boundary_rule(boundary, axis(d).image);
  }
  access.outside = outside();
  access.replaces_non_finite = plan_.spec.non_finite == NonFinite::zero;
  return access;
}
TileAccess TileSteps::writes() const { return access_of(output_, &AxisPlan::tile_output); }
TileAccess TileSteps::access_of(const CallersArray& array, Index AxisPlan::*count) const {
  TileAccess access = array.access(plan_);
  for (std::size_t d = 0; d < 3; ++d) {
    ArrayAxis& along = access.axes[d];
    along.num_tiles = axis(d).num_tiles;
    along.step = axis(d).tile_output;
    along.count = axis(d).*count;
  }
  return access;
}

}  // namespace convoy::inline v0
