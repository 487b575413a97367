#include "device_arrays/program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "convoy/error.hpp"
#include "device_arrays/tile_steps.hpp"
#include "direct/array_sums.hpp"
#include "direct/lower_direct.hpp"
#include "engine/tile_geometry.hpp"
#include "fft/lower_passes.hpp"
#include "planner/kernel_fan.hpp"
#include "planner/layout.hpp"

namespace convoy::inline v0 {
namespace {

constexpr SlotId kTile = 0;
constexpr SlotId kTaps = 1;  // of paths that transform nothing

/// Images of reals are halves of complex ones.
Index batch_of(Index num_images, Element element) { return is_complex(element) ? num_images / 2 : num_images; }

class DeviceArraysProgram {
 public:
  explicit DeviceArraysProgram(const DeviceArraysPlan& plan)
      : plan_(plan),
        image_("image", plan.image_element, plan.spec.image, batch_of(num_images(plan.spec), plan.image_element),
               plan.image_strides),
        output_("output", plan.output_element, output_shape(plan.spec),
                batch_of(num_outputs(plan.spec), plan.output_element), plan.output_strides),
        fan_(kernel_fan(plan.spec)),
        slots_(device_array_slots(plan)),
        steps_(plan, image_, output_),
        tile_slots_(tile_slots(plan)) {
    if (plan.fold_output) require_sums();
  }

  Program make() const {
    Program program = make_tile_program(plan_);
    program.ports.resize(ports::input);
    const Slot image = external("caller's image", image_);
    const Slot output = external("caller's output", output_);
    std::erase_if(program.run, is_transfer);
    const std::vector<Step> tile = std::exchange(program.run, {});
    if (slots_.image != kTile) {
      program.slots.push_back(image);
      program.slots.push_back(output);
      add_more_slots(program);
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
                   .image = whole(steps_.reads()),
                   .output = whole(steps_.writes()),
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
    convolve.arrays = {.image = of_kernels(steps_.reads(), has_tiles_in(fan_.kind)),
                       .output = of_kernels(steps_.writes(), has_tiles_out(fan_.kind)),
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
    if (plan_.fold_output) steps_.append_clear(kTile, run);
    for (Index group = 0; group < num_groups(plan_.spec); ++group) {
      for (Index t = 0; t < plan_.num_tiles(); ++t) {
        knows_missing_ ? append_known(steps, group, tile_index(plan_, t), run)
                       : append_turn(steps, group, tile_index(plan_, t), run);
      }
    }
  }
  void append_turn(const std::vector<Step>& steps, Index group, const TileIndex& tile, std::vector<Step>& run) const {
    using Kind = KernelFan::Kind;
    const Index first_image = group * fan_.num_images();
    const Index first_output = group * fan_.num_results();
    if (fan_.weighs && fan_.kind == Kind::gather) run.emplace_back(steps_.gather(first_image, tile, slots_.other_tile));
    const auto put_in = [&](Index i) {
      if (fan_.weighs && fan_.kind == Kind::gather) {
        run.emplace_back(steps_.gather_weights(i, tile, slots_.weights_tile));
        run.emplace_back(steps_.weigh(slots_.other_tile, slots_.weights_tile, kTile, false));
      } else if (i == 0 || fan_.kind != Kind::spread) {
        run.emplace_back(steps_.gather(first_image + i, tile, kTile));
      }
    };
    const auto take_out = [&](Index i) {
      if (fan_.weighs && fan_.kind == Kind::spread) {
        run.emplace_back(steps_.gather_weights(i, tile, slots_.weights_tile));
        run.emplace_back(steps_.weigh(result(), slots_.weights_tile, slots_.other_tile, i > 0));
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
  /// Missing voxels are interpolated or preserved: results times what has been made of the missing ones first.
  void append_known(const std::vector<Step>& steps, Index number, const TileIndex& tile, std::vector<Step>& run) const {
    const bool interpolates = plan_.spec.non_finite == NonFinite::interpolate;
    const auto convolve = [&](const Dispatch& gathered) {
      run.emplace_back(gathered);
      run.insert(run.end(), steps.begin(), steps.end());
    };
    SlotId factors = slots_.weights_tile;
    SlotId other = slots_.other_tile;
    if (interpolates) {
      convolve(steps_.gather(number, tile, kTile, TileSteps::Shown::missing));
      run.emplace_back(steps_.known_share(result(), factors));
    }
    if (plan_.spec.preserve_nan) {
      run.emplace_back(steps_.gather_own(number, tile, interpolates ? kTile : factors));
      if (interpolates) {
        run.emplace_back(steps_.weigh(factors, kTile, other, false));
        std::swap(factors, other);
      }
    }
    convolve(steps_.gather(number, tile, kTile));
    run.emplace_back(steps_.weigh(result(), factors, other, false));
    append_output(number, tile, other, run);
  }
  void append_output(Index image, const TileIndex& tile, SlotId from, std::vector<Step>& run) const {
    run.emplace_back(plan_.fold_output ? steps_.fold(image, tile, from) : steps_.scatter(image, tile, from));
  }

  /// Behind image and output, as device_array_slots() has them.
  void add_more_slots(Program& program) const {
    const std::uint64_t tile_bytes = layout_of(plan_).image_bytes();
    if (fan_.weighs) {
      program.slots.push_back({.name = "weights", .bytes = plan_.weights->size(), .contents = plan_.weights});
    }
    if (!fan_.weighs && !knows_missing_) return;
    program.slots.push_back({.name = "tile of weights", .bytes = tile_bytes});
    program.slots.push_back({.name = "other tile", .bytes = tile_bytes});
  }

  static Slot external(const char* name, const CallersArray& array) {
    return {.name = name, .bytes = array.bytes(), .per_tile_in_flight = false, .external = true};
  }

  void require_sums() const {
    const Element real = plan_.spec.precision == Precision::f32 ? Element::f32 : Element::f64;
    if (output_.element() == real) return;
    throw Error(Errc::unsupported,
                fmt::format("the adjoint of boundary {} is added up in the output, which must be {} then, not {}",
                            name(plan_.spec.boundary), name(real), name(output_.element())));
  }

  const AxisPlan& axis(std::size_t d) const { return device_axis(plan_, static_cast<int>(d)); }
  SlotId result() const { return tile_slots_.results.front(); }

  const DeviceArraysPlan& plan_;
  CallersArray image_;
  CallersArray output_;
  KernelFan fan_;
  DeviceArraySlots slots_;
  TileSteps steps_;
  TileSlots tile_slots_;
  bool knows_missing_ = knows_missing(plan_.spec);
};

}  // namespace

DeviceArraySlots device_array_slots(const Plan& plan) {
  const TileLayout layout = layout_of(plan);
  const SlotId first = tile_slots(plan).num_slots;
  if (layout.reads_arrays) return {.image = 0, .output = sums_directly(plan.path) ? 2 : first};
  DeviceArraySlots slots{.image = first, .output = first + 1};
  SlotId next = first + 2;
  if (layout.fan.weighs) slots.weights = next++;
  slots.weights_tile = next++;
  slots.other_tile = next;
  return slots;
}

Program make_program(const DeviceArraysPlan& plan) { return DeviceArraysProgram(plan).make(); }

}  // namespace convoy::inline v0
