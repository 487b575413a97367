#include "device_arrays/program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/boundary_rule.hpp"
#include "convoy/error.hpp"
#include "engine/tile_geometry.hpp"
#include "fft/lower_passes.hpp"

namespace convoy {
namespace {

constexpr SlotId kTile = 0;
/// Kernels count voxels in 32 bits, and positions of twice an axis in 31.
constexpr Index kMostVoxels = std::numeric_limits<std::uint32_t>::max();
constexpr Index kLongestAxis = Index{1} << 30;

using PerAxis = std::array<Index, 3>;  // device order

class DeviceArraysProgram {
 public:
  DeviceArraysProgram(const Plan& plan, Element image, Element output)
      : plan_(plan), image_(image), output_(output), output_shape_(output_shape(plan.spec)) {
    require_indexable("image", plan.spec.image);
    require_indexable("output", output_shape_);
    if (plan.fold_output) require_sums();
  }

  Program make() const {
    Program program = make_tile_program(plan_);
    program.ports.resize(ports::input);
    program.slots.push_back(external("caller's image", plan_.spec.image, image_));
    program.slots.push_back(external("caller's output", output_shape_, output_));
    const auto is_convolve = [](const Step& step) { return std::holds_alternative<Convolve>(step); };
    const Step convolve = *std::find_if(program.run.begin(), program.run.end(), is_convolve);

    program.run.clear();
    if (plan_.fold_output) program.run.emplace_back(Clear{device_array_slots::output});
    for (Index t = 0; t < plan_.num_tiles(); ++t) {
      const TileIndex tile = tile_index(plan_, t);
      program.run.emplace_back(gather(tile));
      program.run.push_back(convolve);
      program.run.emplace_back(plan_.fold_output ? fold(tile) : scatter(tile));
    }
    lower_native_passes(plan_.limits, program);
    return program;
  }

 private:
  static Slot external(const char* name, const Shape& shape, Element element) {
    return {.name = name,
            .bytes = static_cast<std::uint64_t>(num_voxels(shape)) * size_of(element),
            .per_tile_in_flight = false,
            .external = true};
  }

  static void require_indexable(const char* what, const Shape& shape) {
    const Index longest = std::max({shape.z, shape.y, shape.x});
    if (num_voxels(shape) <= kMostVoxels && longest <= kLongestAxis) return;
    throw Error(
        Errc::unsupported,
        fmt::format("the {} of {} zyx on the device has more voxels than device kernels count (2^32 - 1, and 2^30 on "
                    "an axis); run it in parts, or from host memory with a Convolver",
                    what, to_text(shape)));
  }

  void require_sums() const {
    const Element real = plan_.spec.precision == Precision::f32 ? Element::f32 : Element::f64;
    if (output_ == real) return;
    throw Error(Errc::unsupported,
                fmt::format("the adjoint of boundary {} is added up in the output, which must be {} then, not {}",
                            name(plan_.spec.boundary), name(real), name(output_)));
  }

  const AxisPlan& axis(std::size_t d) const { return device_axis(plan_, static_cast<int>(d)); }
  Index tile_on(std::size_t d, const TileIndex& tile) const {
    return tile[static_cast<std::size_t>(plan_.device_axes[d])];
  }

  template <class Value>
  static PerAxis per_axis(const Value& value) {
    return {value(0), value(1), value(2)};
  }

  Dispatch dispatch(const KernelSpec& kernel, SlotId from, SlotId to, const PerAxis& threads) const {
    Dispatch step;
    step.kernel = &kernel;
    step.precision = plan_.spec.precision;
    step.slots = {from, to};
    for (std::size_t d = 0; d < 3; ++d) step.threads[d] = static_cast<std::uint64_t>(threads[d]);
    return step;
  }

  /// Two's complement, where negative positions occur.
  static void add(Dispatch& step, Index value) {
    step.parameters.push_back(parameter(static_cast<std::uint32_t>(value)));
  }
  static void add(Dispatch& step, const PerAxis& values) {
    for (const Index value : values) add(step, value);
  }

  PerAxis extents() const {
    return per_axis([&](std::size_t d) { return axis(d).extent; });
  }

  Dispatch gather(const TileIndex& tile) const {
    Dispatch step = dispatch(kernels::gather_voxels(image_), device_array_slots::image, kTile, extents());
    add(step, extents());
    add(step, per_axis([&](std::size_t d) { return axis(d).tile_input; }));
    add(step, per_axis([&](std::size_t d) { return tile_on(d, tile) * axis(d).tile_output + axis(d).input_offset; }));
    add(step, per_axis([&](std::size_t d) { return axis(d).image; }));
    add(step, device_strides(plan_, plan_.spec.image));
    add_boundary(step);
    add(step, Index{plan_.spec.non_finite == NonFinite::zero ? 1 : 0});
    return step;
  }

  void add_rule(Dispatch& step, Boundary boundary) const {
    const auto rule = [&](std::size_t d) { return boundary_rule(boundary, axis(d).image); };
    add(step, static_cast<Index>(rule(0).kind));
    add(step, per_axis([&](std::size_t d) { return rule(d).period; }));
    add(step, rule(0).offset);
  }

  void add_boundary(Dispatch& step) const {
    const Boundary boundary = reading_boundary(plan_.spec);
    const double outside = boundary == Boundary::constant ? plan_.spec.constant : 0;
    const auto high = static_cast<float>(outside);
    if (!std::isfinite(high)) {
      throw Error(Errc::unsupported,
                  fmt::format("the boundary constant {:g} is beyond single precision, in which it would be handed to "
                              "the device; use a Convolver",
                              outside));
    }
    add_rule(step, boundary);
    step.parameters.push_back(parameter(high));
    step.parameters.push_back(parameter(static_cast<float>(outside - static_cast<double>(high))));
  }

  Dispatch scatter(const TileIndex& tile) const {
    const PerAxis counts = per_axis([&](std::size_t d) { return tile_outputs(plan_, tile)[d].count; });
    Dispatch step = dispatch(kernels::scatter_voxels(output_), kTile, device_array_slots::output, counts);
    add(step, axis(0).extent);
    add(step, axis(1).extent);
    add(step, counts);
    add(step, per_axis([&](std::size_t d) { return tile_outputs(plan_, tile)[d].begin; }));
    add(step, device_strides(plan_, output_shape_));
    return step;
  }

  /// The image positions that the tile's raw outputs are added to.
  AxisOutputs folded_onto(std::size_t d, const TileIndex& tile) const {
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

  Dispatch fold(const TileIndex& tile) const {
    const PerAxis counts = per_axis([&](std::size_t d) { return folded_onto(d, tile).count; });
    Dispatch step = dispatch(kernels::fold_voxels, kTile, device_array_slots::output, counts);
    add(step, axis(0).extent);
    add(step, axis(1).extent);
    add(step, counts);
    add(step, per_axis([&](std::size_t d) { return folded_onto(d, tile).begin; }));
    add(step, per_axis([&](std::size_t d) { return tile_outputs(plan_, tile)[d].begin + axis(d).fold_begin; }));
    add(step, per_axis([&](std::size_t d) { return tile_outputs(plan_, tile)[d].count; }));
    add(step, per_axis([&](std::size_t d) { return axis(d).image; }));
    add(step, device_strides(plan_, plan_.spec.image));
    add_rule(step, plan_.spec.boundary);
    return step;
  }

  const Plan& plan_;
  Element image_;
  Element output_;
  Shape output_shape_;
};

}  // namespace

Program make_program(const DeviceArraysPlan& plan) {
  return DeviceArraysProgram(plan, plan.image_element, plan.output_element).make();
}

}  // namespace convoy
