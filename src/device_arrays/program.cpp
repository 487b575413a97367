#include "device_arrays/program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "base/boundary_rule.hpp"
#include "convoy/error.hpp"
#include "direct/array_sums.hpp"
#include "direct/lower_direct.hpp"
#include "engine/tile_geometry.hpp"
#include "fft/lower_passes.hpp"
#include "planner/kernel_fan.hpp"
#include "planner/layout.hpp"

namespace convoy {
namespace {

constexpr SlotId kTile = 0;
constexpr SlotId kTaps = 1;  // of paths that transform nothing
/// Kernels count voxels in 32 bits, and positions of twice an axis in 31.
constexpr Index kMostVoxels = std::numeric_limits<std::uint32_t>::max();
constexpr Index kLongestAxis = Index{1} << 30;

using PerAxis = std::array<Index, 3>;  // device order

class DeviceArraysProgram {
 public:
  explicit DeviceArraysProgram(const DeviceArraysPlan& plan)
      : plan_(plan),
        image_(plan.image_element),
        output_(plan.output_element),
        output_shape_(output_shape(plan.spec)),
        fan_(kernel_fan(plan.spec)),
        slots_(device_array_slots(plan)),
        tile_slots_(tile_slots(plan)) {
    require_indexable("image", plan.spec.image, num_images(plan.spec));
    require_indexable("output", output_shape_, num_outputs(plan.spec));
    if (fan_.weighs) require_indexable("weight image", weights_shape(plan.spec), plan.spec.num_kernels);
    if (plan.fold_output) require_sums();
  }

  Program make() const {
    Program program = make_tile_program(plan_);
    program.ports.resize(ports::input);
    const Slot image = external("caller's image", plan_.spec.image, image_, num_images(plan_.spec));
    const Slot output = external("caller's output", output_shape_, output_, num_outputs(plan_.spec));
    std::erase_if(program.run, is_transfer);
    const std::vector<Step> tile = std::exchange(program.run, {});
    if (slots_.image != kTile) {
      program.slots.push_back(image);
      program.slots.push_back(output);
      if (fan_.weighs) add_weights_slots(program);
      append_tiles(tile, program.run);
    } else if (sums_directly(plan_.path)) {
      program.slots = {image, program.slots[kTaps], output};
      program.run.emplace_back(sums());
    } else {
      program.slots[kTile] = image;
      program.slots.push_back(output);
      append_batches(std::get<Convolve>(tile.front()), program.run);
    }
    lower_native_passes(plan_.limits, program);
    lower_direct_steps(plan_.limits, program);
    return program;
  }

 private:
  static bool is_transfer(const Step& step) {
    return std::holds_alternative<Upload>(step) || std::holds_alternative<Download>(step);
  }

  /// All images and tiles in one launch.
  Dispatch sums() const {
    ArraySums sums{.precision = plan_.spec.precision,
                   .image = whole(reads()),
                   .output = whole(writes()),
                   .image_slot = slots_.image,
                   .taps_slot = kTaps,
                   .output_slot = slots_.output,
                   .num_terms = plan_.separable_terms,
                   .taps = plan_.taps,
                   .tuning = plan_.sum_tuning};
    for (std::size_t d = 0; d < 3; ++d) {
      sums.size[d] = axis(d).kernel_size;
      sums.image.axes[d].count = axis(d).output + axis(d).kernel_size - 1;
      sums.output.axes[d].count = axis(d).output;
    }
    return array_sums(sums, plan_.limits);
  }
  /// Of the tiles that the plan cuts an image into, one.
  static TileAccess whole(TileAccess access) {
    for (ArrayAxis& along : access.axes) along.num_tiles = 1;
    return access;
  }

  void append_batches(Convolve convolve, std::vector<Step>& run) const {
    convolve.geometry.reads_arrays = false;  // of the plan, which counts no image slot
    convolve.arrays = {.image = of_kernels(reads(), has_tiles_in(fan_.kind)),
                       .output = of_kernels(writes(), has_tiles_out(fan_.kind)),
                       .output_slot = slots_.output,
                       .fan = fan_.kind,
                       .num_kernels = fan_.num,
                       .kernels_at_once = plan_.kernels_at_once};
    convolve.part = Convolve::Part::whole;
    for (Index first = 0; first < num_groups(plan_.spec) * plan_.num_tiles(); first += plan_.batch) {
      convolve.arrays->first_tile = first;
      if (fan_.is_single()) {
        run.emplace_back(convolve);
      } else {
        append_fan(convolve, run);
      }
    }
  }
  TileAccess of_kernels(TileAccess access, bool each_has_tiles) const {
    if (!each_has_tiles) return access;
    access.num_kernels = fan_.num;
    access.batch = plan_.batch;
    return access;
  }

  /// A batch with all kernels, some at once.
  void append_fan(Convolve step, std::vector<Step>& run) const {
    using Part = Convolve::Part;
    using Kind = KernelFan::Kind;
    const auto append = [&](Part part, SlotId work) {
      step.part = part;
      step.work = work;
      run.emplace_back(step);
    };
    const SlotId work = step.work;
    step.product = tile_slots_.product;
    for (const SlotId spectra : tile_slots_.spectra) {
      step.spectrum = spectra;
      if (step.geometry.in_one_launch) {
        append(Part::whole, work);  // forth, product and back in one launch
      } else {
        if (step.arrays->first_kernel == 0 || fan_.kind != Kind::spread) append(Part::forward, work);
        append(Part::product, work);
        const bool is_last = step.arrays->first_kernel + plan_.kernels_at_once >= fan_.num;
        if (is_last || fan_.kind != Kind::gather)
          append(Part::inverse, tile_slots_.product > 0 ? tile_slots_.product : work);
      }
      step.arrays->first_kernel += plan_.kernels_at_once;
    }
  }

  /// `steps` are those of a turn: of one tile slot, so that tiles go in and come out one after the other.
  void append_tiles(const std::vector<Step>& steps, std::vector<Step>& run) const {
    if (plan_.fold_output) run.emplace_back(Clear{slots_.output});
    for (Index group = 0; group < num_groups(plan_.spec); ++group) {
      for (Index t = 0; t < plan_.num_tiles(); ++t) append_turn(steps, group, tile_index(plan_, t), run);
    }
  }
  void append_turn(const std::vector<Step>& steps, Index group, const TileIndex& tile, std::vector<Step>& run) const {
    using Kind = KernelFan::Kind;
    const Index first_image = group * fan_.num_images();
    const Index first_output = group * fan_.num_results();
    if (fan_.weighs && fan_.kind == Kind::gather) run.emplace_back(gather(first_image, tile, slots_.other_tile));
    const auto put_in = [&](Index i) {
      if (fan_.weighs && fan_.kind == Kind::gather) {
        run.emplace_back(gather_weights(i, tile));
        run.emplace_back(weigh(slots_.other_tile, kTile, false));
      } else if (i == 0 || fan_.kind != Kind::spread) {
        run.emplace_back(gather(first_image + i, tile, kTile));
      }
    };
    const auto take_out = [&](Index i) {
      if (fan_.weighs && fan_.kind == Kind::spread) {
        run.emplace_back(gather_weights(i, tile));
        run.emplace_back(weigh(result(), slots_.other_tile, i > 0));
      } else if (fan_.kind != Kind::gather || i == fan_.num - 1) {
        append_output(first_output + (fan_.kind == Kind::gather ? 0 : i), tile, result(), run);
      }
    };
    Index number = -1;  // of the kernel whose steps these are
    for (const Step& step : steps) {
      const auto begins = begin_of_kernel(step);
      if (begins && *begins != number) {
        if (number >= 0) take_out(number);
        number = *begins;
        put_in(number);
      }
      run.push_back(step);
    }
    take_out(number);
    if (fan_.weighs && fan_.kind == Kind::spread) append_output(first_output, tile, slots_.other_tile, run);
  }
  /// Which kernel's steps begin or go on with this one; nothing where it is of none alone.
  std::optional<Index> begin_of_kernel(const Step& step) const {
    SlotId spectrum = 0;
    if (const auto* convolve = std::get_if<Convolve>(&step)) spectrum = convolve->spectrum;
    if (const auto* direct = std::get_if<ConvolveDirect>(&step)) spectrum = direct->taps;
    const auto& spectra = tile_slots_.spectra;
    const auto found = std::lower_bound(spectra.begin(), spectra.end(), spectrum);  // numbers rise
    if (found == spectra.end() || *found != spectrum) return {};
    return found - spectra.begin();
  }
  void append_output(Index image, const TileIndex& tile, SlotId from, std::vector<Step>& run) const {
    run.emplace_back(plan_.fold_output ? fold(image, tile, from) : scatter(image, tile, from));
  }

  TileAccess reads() const {
    TileAccess access = access_of(image_, plan_.spec.image, num_images(plan_.spec), &AxisPlan::tile_input);
    const Boundary boundary = reading_boundary(plan_.spec);
    for (std::size_t d = 0; d < 3; ++d) {
      access.axes[d].begin = axis(d).input_offset;
      access.axes[d].rule = boundary_rule(boundary, axis(d).image);
    }
    access.outside = outside_of(boundary);
    access.replaces_non_finite = plan_.spec.non_finite == NonFinite::zero;
    return access;
  }
  TileAccess writes() const {
    return access_of(output_, output_shape_, num_outputs(plan_.spec), &AxisPlan::tile_output);
  }
  TileAccess access_of(Element element, const Shape& shape, Index images, Index AxisPlan::*count) const {
    TileAccess access;
    access.element = element;
    access.num_images = images;
    access.image_stride = num_voxels(shape);
    const std::array<Index, 3> strides = device_strides(plan_, shape);
    for (std::size_t d = 0; d < 3; ++d) {
      ArrayAxis& along = access.axes[d];
      along.size = shape[plan_.device_axes[d]];
      along.stride = strides[d];
      along.num_tiles = axis(d).num_tiles;
      along.step = axis(d).tile_output;
      along.count = axis(d).*count;
    }
    return access;
  }

  /// Behind image and output, as device_array_slots() has them.
  void add_weights_slots(Program& program) const {
    const std::uint64_t tile_bytes = layout_of(plan_).image_bytes();
    program.slots.push_back({.name = "weights", .bytes = plan_.weights->size(), .contents = plan_.weights});
    program.slots.push_back({.name = "tile of weights", .bytes = tile_bytes});
    program.slots.push_back({.name = "other tile", .bytes = tile_bytes});
  }

  static Slot external(const char* name, const Shape& shape, Element element, Index images) {
    return {.name = name,
            .bytes = static_cast<std::uint64_t>(num_voxels(shape) * images) * size_of(element),
            .per_tile_in_flight = false,
            .external = true};
  }

  static void require_indexable(const char* what, const Shape& shape, Index batch) {
    const Index longest = std::max({shape.z, shape.y, shape.x});
    if (num_voxels(shape) <= kMostVoxels / batch && longest <= kLongestAxis) return;
    throw Error(
        Errc::unsupported,
        fmt::format("{} of {} zyx on the device has more voxels than device kernels count (2^32 - 1, and 2^30 on an "
                    "axis); run it in parts, or from host memory with a Convolver",
                    batch > 1 ? fmt::format("a batch of {} {}s", batch, what) : fmt::format("the {}", what),
                    to_text(shape)));
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

  SlotId result() const { return tile_slots_.results.front(); }
  PerAxis extents() const {
    return per_axis([&](std::size_t d) { return axis(d).extent; });
  }

  Dispatch gather(Index image, const TileIndex& tile, SlotId to) const {
    Dispatch step = dispatch(kernels::gather_voxels(image_), slots_.image, to, extents());
    add(step, extents());
    add(step, per_axis([&](std::size_t d) { return axis(d).tile_input; }));
    add(step, per_axis([&](std::size_t d) { return tile_on(d, tile) * axis(d).tile_output + axis(d).input_offset; }));
    add(step, per_axis([&](std::size_t d) { return axis(d).image; }));
    add(step, device_strides(plan_, plan_.spec.image));
    add_boundary(step);
    add(step, Index{plan_.spec.non_finite == NonFinite::zero ? 1 : 0});
    add(step, image * num_voxels(plan_.spec.image));
    return step;
  }

  /// What the tile shows of weight image `number`: where it reads the image, or for the adjoint where its outputs are.
  Dispatch gather_weights(Index number, const TileIndex& tile) const {
    const bool of_outputs = fan_.kind == KernelFan::Kind::spread;
    const Element real = plan_.spec.precision == Precision::f32 ? Element::f32 : Element::f64;
    const Shape shape = weights_shape(plan_.spec);
    Dispatch step = dispatch(kernels::gather_voxels(real), slots_.weights, slots_.weights_tile, extents());
    add(step, extents());
    add(step,
        per_axis([&](std::size_t d) { return of_outputs ? tile_outputs(plan_, tile)[d].count : axis(d).tile_input; }));
    add(step, per_axis([&](std::size_t d) { return of_outputs ? first_output(d, tile) : first_input(d, tile); }));
    add(step, per_axis([&](std::size_t d) { return shape[plan_.device_axes[d]]; }));
    add(step, device_strides(plan_, shape));
    const Boundary boundary = plan_.fold_output ? plan_.spec.boundary : reading_boundary(plan_.spec);
    add_rule(step, of_outputs && !plan_.fold_output ? Boundary::zero : boundary);
    step.parameters.push_back(parameter(0.0f));
    step.parameters.push_back(parameter(0.0f));
    add(step, Index{0});
    add(step, number * num_voxels(shape));
    return step;
  }
  Index first_input(std::size_t d, const TileIndex& tile) const {
    return tile_on(d, tile) * axis(d).tile_output + axis(d).input_offset;
  }
  /// As a position of the weight images, folded or not.
  Index first_output(std::size_t d, const TileIndex& tile) const {
    const Index begin = tile_outputs(plan_, tile)[d].begin;
    if (plan_.fold_output) return begin + axis(d).fold_begin;
    return begin + (plan_.spec.region ? plan_.spec.region->begin[plan_.device_axes[d]] : 0);
  }
  Dispatch weigh(SlotId tile, SlotId to, bool adds) const {
    Dispatch step;
    step.kernel = &kernels::weigh;
    step.precision = plan_.spec.precision;
    step.slots = {tile, slots_.weights_tile, to};
    for (std::size_t d = 0; d < 3; ++d) step.threads[d] = static_cast<std::uint64_t>(extents()[d]);
    add(step, extents());
    add(step, Index{adds ? 1 : 0});
    return step;
  }

  void add_rule(Dispatch& step, Boundary boundary) const {
    const auto rule = [&](std::size_t d) { return boundary_rule(boundary, axis(d).image); };
    add(step, static_cast<Index>(rule(0).kind));
    add(step, per_axis([&](std::size_t d) { return rule(d).period; }));
    add(step, rule(0).offset);
  }

  double outside_of(Boundary boundary) const {
    const double outside = boundary == Boundary::constant ? plan_.spec.constant : 0;
    if (std::isfinite(static_cast<float>(outside))) return outside;
    throw Error(Errc::unsupported,
                fmt::format("the boundary constant {:g} is beyond single precision, in which it would be handed to "
                            "the device; use a Convolver",
                            outside));
  }
  void add_boundary(Dispatch& step) const {
    const Boundary boundary = reading_boundary(plan_.spec);
    const double outside = outside_of(boundary);
    const auto high = static_cast<float>(outside);
    add_rule(step, boundary);
    step.parameters.push_back(parameter(high));
    step.parameters.push_back(parameter(static_cast<float>(outside - static_cast<double>(high))));
  }

  Dispatch scatter(Index image, const TileIndex& tile, SlotId from) const {
    const PerAxis counts = per_axis([&](std::size_t d) { return tile_outputs(plan_, tile)[d].count; });
    Dispatch step = dispatch(kernels::scatter_voxels(output_), from, slots_.output, counts);
    add(step, axis(0).extent);
    add(step, axis(1).extent);
    add(step, counts);
    add(step, per_axis([&](std::size_t d) { return tile_outputs(plan_, tile)[d].begin; }));
    add(step, device_strides(plan_, output_shape_));
    add(step, image * num_voxels(output_shape_));
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

  Dispatch fold(Index image, const TileIndex& tile, SlotId from) const {
    const PerAxis counts = per_axis([&](std::size_t d) { return folded_onto(d, tile).count; });
    Dispatch step = dispatch(kernels::fold_voxels, from, slots_.output, counts);
    add(step, axis(0).extent);
    add(step, axis(1).extent);
    add(step, counts);
    add(step, per_axis([&](std::size_t d) { return folded_onto(d, tile).begin; }));
    add(step, per_axis([&](std::size_t d) { return tile_outputs(plan_, tile)[d].begin + axis(d).fold_begin; }));
    add(step, per_axis([&](std::size_t d) { return tile_outputs(plan_, tile)[d].count; }));
    add(step, per_axis([&](std::size_t d) { return axis(d).image; }));
    add(step, device_strides(plan_, plan_.spec.image));
    add_rule(step, plan_.spec.boundary);
    add(step, image * num_voxels(output_shape_));
    return step;
  }

  const DeviceArraysPlan& plan_;
  Element image_;
  Element output_;
  Shape output_shape_;
  KernelFan fan_;
  DeviceArraySlots slots_;
  TileSlots tile_slots_;
};

}  // namespace

DeviceArraySlots device_array_slots(const Plan& plan) {
  const TileLayout layout = layout_of(plan);
  const SlotId first = tile_slots(plan).num_slots;
  if (layout.reads_arrays) return {.image = 0, .output = sums_directly(plan.path) ? 2 : first};
  DeviceArraySlots slots{.image = first, .output = first + 1};
  if (layout.fan.weighs) {
    slots.weights = first + 2;
    slots.weights_tile = first + 3;
    slots.other_tile = first + 4;
  }
  return slots;
}

Program make_program(const DeviceArraysPlan& plan) { return DeviceArraysProgram(plan).make(); }

}  // namespace convoy
