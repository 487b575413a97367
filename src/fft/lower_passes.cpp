#include "fft/lower_passes.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "fft/pass_steps.hpp"
#include "fft/plan.hpp"
#include "kernels/deconvolution_kernels.hpp"

namespace convoy::inline v0 {
namespace {

std::vector<std::byte> tables_of(const FftGeometry& geometry, const Limits& limits) {
  std::vector<std::byte> bytes;
  for (int axis = 0; axis < geometry.num_axes; ++axis) {
    const Index length = geometry.padded[axis];
    const std::vector<std::byte> table =
        geometry.num_axes == 1   ? line_table(length, geometry.precision)
        : geometry.in_one_launch ? tile_table(length, geometry.precision)
        : axis == 0              ? row_table(length, geometry.precision)
                                 : column_table(length, role_of(axis, geometry.num_axes), geometry.precision, limits,
                                   geometry.kernel_extent > 0 ? std::optional(geometry.kernel_place) : std::nullopt);
    bytes.insert(bytes.end(), table.begin(), table.end());
  }
  return bytes;
}

class Lowering {
 public:
  Lowering(const Limits& limits, Program& program) : limits_(limits), program_(program) {}

  void lower(std::vector<Step>& section) {
    find_transforms(section);
    for (Step& step : section) find_sum(step);
    std::vector<Step> lowered;
    std::optional<PassSteps> pieces = passes_in_pieces(section, lowered);
    for (Step& step : section) {
      if (const TransformKernel* placed = transform_of_placed(step)) {
        place_kernel(*placed, std::get<Dispatch>(step), lowered);
      } else if (const auto* transform = std::get_if<TransformKernel>(&step);
                 transform && is_native(transform->geometry)) {
        const NativeSlots slots{.spectrum = transform->spectrum, .tables = tables(transform->geometry)};
        PassSteps(transform->geometry, limits_, slots, lowered).transform_kernels(transform->num);
      } else if (const auto* convolve = std::get_if<Convolve>(&step); convolve && is_native(convolve->geometry)) {
        if (pieces) {
          pieces->product(convolve->conjugate);
          continue;
        }
        const std::vector<Step> passes = passes_of(*convolve);
        lowered.insert(lowered.end(), passes.begin(), passes.end());
      } else if (pieces) {
        piece_by_piece(std::move(step), *pieces, lowered);
      } else {
        lowered.push_back(std::move(step));
      }
    }
    section = std::move(lowered);
  }

 private:
  static bool is_native(const FftGeometry& geometry) { return geometry.path == Path::native; }

  /// Where uploads and downloads of a tile's pieces run beside computing, and no other tile does, its planes are
  /// computed as they come and go.
  std::optional<PassSteps> passes_in_pieces(const std::vector<Step>& section, std::vector<Step>& lowered) {
    if (!limits_.transfers_overlap || program_.num_in_flight > 1) return {};
    const Convolve* only = nullptr;
    int num_uploads = 0;
    for (const Step& step : section) {
      if (std::holds_alternative<Upload>(step)) ++num_uploads;
      if (std::holds_alternative<Upload>(step) || std::holds_alternative<Download>(step)) continue;
      if (only != nullptr || !std::holds_alternative<Convolve>(step)) return {};
      only = &std::get<Convolve>(step);
    }
    if (only == nullptr || num_uploads < 2 || !is_native(only->geometry)) return {};
    std::optional<PassSteps> passes;
    passes.emplace(only->geometry, limits_, slots_of(*only, only->geometry), lowered);
    if (!passes->has_planes()) return {};
    program_.slots[static_cast<std::size_t>(only->image)].per_tile_in_flight = true;
    plane_bytes_ = only->geometry.image_bytes() / static_cast<std::uint64_t>(only->geometry.extent[2]);
    return passes;
  }
  void piece_by_piece(Step&& step, PassSteps& passes, std::vector<Step>& lowered) const {
    const auto planes = [this](std::uint64_t bytes) { return static_cast<Index>(bytes / plane_bytes_); };
    if (const auto* download = std::get_if<Download>(&step)) {
      passes.planes_inverse(planes(download->slot_offset), static_cast<Index>(download->num_chunks));
    }
    lowered.push_back(std::move(step));
    if (const auto* upload = std::get_if<Upload>(&lowered.back())) {
      passes.planes_forward(planes(upload->slot_offset), planes(upload->chunk_bytes));
    }
  }

  /// The transform that makes this spectrum, if it is one of our own passes.
  const TransformKernel* transform_of(SlotId spectrum) const {
    const auto found = transforms_.find(spectrum);
    return found == transforms_.end() ? nullptr : found->second;
  }
  void find_transforms(const std::vector<Step>& section) {
    transforms_.clear();
    for (const Step& step : section) {
      const auto* transform = std::get_if<TransformKernel>(&step);
      if (transform != nullptr && is_native(transform->geometry)) transforms_.emplace(transform->spectrum, transform);
    }
  }
  /// Of the kernel that the step puts into a spectrum, if own passes are to transform that.
  const TransformKernel* transform_of_placed(const Step& step) const {
    const auto* dispatch = std::get_if<Dispatch>(&step);
    if (dispatch == nullptr || !(dispatch->kernel == &kernels::place_kernel)) return nullptr;
    return transform_of(dispatch->slots.back());
  }
  /// Has the step that reads the kernel's sum read it where own passes leave it.
  void find_sum(Step& step) const {
    auto* dispatch = std::get_if<Dispatch>(&step);
    if (dispatch == nullptr || !(dispatch->kernel == &kernels::remember_response)) return;
    const TransformKernel* transform = transform_of(dispatch->slots.front());
    if (transform == nullptr) return;
    std::vector<Step> none;
    const Index place = PassSteps(transform->geometry, limits_, {}, none).place_of_sum();
    dispatch->parameter("place") = parameter(static_cast<std::uint32_t>(place));
  }
  /// In place of the kernel's voxels, their rows' frequencies are put there.
  void place_kernel(const TransformKernel& transform, const Dispatch& dispatch, std::vector<Step>& lowered) {
    const auto value = [&dispatch](const char* name) { return Index{dispatch.parameter(name).bits}; };
    const std::array<Index, 3> size{value("size_x"), value("size_y"), value("size_z")};
    const std::array<Index, 3> place{value("shift_x"), value("shift_y"), value("shift_z")};
    const NativeSlots slots{.spectrum = dispatch.slots.back(), .tables = tables(transform.geometry)};
    PassSteps(transform.geometry, limits_, slots, lowered)
        .place_kernel(dispatch.slots.front(), size, place, value("number"), transform.num);
  }

  /// Equal convolutions share their kernels; so do those that differ in slots and in the first tile alone.
  std::vector<Step> passes_of(const Convolve& convolve) {
    for (const auto& [known, passes] : passes_) {
      if (is_alike(known, convolve)) return rebound(passes, known, convolve);
    }
    auto& [known, passes] = passes_.emplace_back(convolve, std::vector<Step>());
    FftGeometry geometry = convolve.geometry;
    if (convolve.part == Convolve::Part::forward || convolve.part == Convolve::Part::inverse) {
      geometry.batch = convolve.part == Convolve::Part::forward ? tiles_in(convolve) : tiles_out(convolve);
    }
    PassSteps(geometry, limits_, slots_of(convolve, geometry), passes).convolve(convolve);
    return passes;
  }
  /// Of the slots that the step's part touches.
  static std::vector<std::pair<SlotId, SlotId>> moved_slots(const Convolve& from, const Convolve& to) {
    using Part = Convolve::Part;
    std::vector<std::pair<SlotId, SlotId>> moved{{from.work, to.work}};
    const auto add = [&](SlotId Convolve::*slot) { moved.emplace_back(from.*slot, to.*slot); };
    if (from.part == Part::whole || from.part == Part::product) add(&Convolve::spectrum);
    if (from.part == Part::product) {
      add(&Convolve::product);
      return moved;
    }
    if (!from.arrays || from.part != Part::inverse) add(&Convolve::image);
    if (from.arrays && from.part != Part::forward) {
      moved.emplace_back(from.arrays->output_slot, to.arrays->output_slot);
    }
    return moved;
  }
  /// One slot of `known` never becomes two.
  static bool is_alike(const Convolve& known, Convolve other) {
    if (known.arrays.has_value() != other.arrays.has_value()) return false;
    const auto moved = moved_slots(known, other);
    for (const auto& [from, to] : moved) {
      for (const auto& [also_from, also_to] : moved) {
        if (from == also_from && to != also_to) return false;
      }
    }
    other.image = known.image;
    other.work = known.work;
    other.spectrum = known.spectrum;
    other.product = known.product;
    if (known.arrays) {
      other.arrays->output_slot = known.arrays->output_slot;
      other.arrays->first_tile = known.arrays->first_tile;
      other.arrays->first_kernel = known.arrays->first_kernel;
    }
    return known == other;
  }
  static std::vector<Step> rebound(std::vector<Step> passes, const Convolve& from, const Convolve& to) {
    const auto moved = moved_slots(from, to);
    for (Step& step : passes) {
      auto& dispatch = std::get<Dispatch>(step);
      if (to.arrays) {
        const auto set = [&](const char* name, Index value) {
          if (dispatch.has_parameter(name)) dispatch.parameter(name) = parameter(static_cast<std::uint32_t>(value));
        };
        set("begin_tile", to.arrays->first_tile);
        set("begin_kernel", to.arrays->first_kernel);
        set("kernels_left", to.arrays->num_kernels - to.arrays->first_kernel);
      }
      for (SlotId& slot : dispatch.slots) {
        const auto found = std::find_if(moved.begin(), moved.end(), [&](const auto& one) { return one.first == slot; });
        if (found != moved.end()) slot = found->second;
      }
    }
    return passes;
  }
  NativeSlots slots_of(const Convolve& convolve, const FftGeometry& geometry) {
    return {convolve.image,
            convolve.work,
            convolve.spectrum,
            convolve.product,
            tables(geometry),
            convolve.part == Convolve::Part::product ? 0 : progress(geometry),
            convolve.arrays ? &*convolve.arrays : nullptr};
  }

  SlotId tables(FftGeometry geometry) {
    geometry.batch = 1;  // all tiles look up the same
    for (const auto& [known, slot] : tables_) {
      if (known == geometry) return slot;
    }
    auto contents = std::make_shared<const std::vector<std::byte>>(tables_of(geometry, limits_));
    program_.slots.push_back({.name = "tables", .bytes = contents->size(), .contents = contents});
    return tables_.emplace_back(geometry, static_cast<SlotId>(program_.slots.size() - 1)).second;
  }

  /// One counter for the tickets, then one for each plane.
  SlotId progress(const FftGeometry& geometry) {
    const std::uint64_t bytes = plane_counters_bytes(geometry, limits_);
    if (bytes == 0) return 0;
    for (std::size_t id = 0; id < program_.slots.size(); ++id) {
      if (program_.slots[id].name == "progress" && program_.slots[id].bytes == bytes) return static_cast<SlotId>(id);
    }
    auto contents = std::make_shared<const std::vector<std::byte>>(static_cast<std::size_t>(bytes));
    program_.slots.push_back({.name = "progress", .bytes = bytes, .contents = std::move(contents)});
    return static_cast<SlotId>(program_.slots.size() - 1);
  }

  const Limits& limits_;
  Program& program_;
  std::vector<std::pair<FftGeometry, SlotId>> tables_;
  std::vector<std::pair<Convolve, std::vector<Step>>> passes_;
  std::map<SlotId, const TransformKernel*> transforms_;  // of the section
  std::uint64_t plane_bytes_ = 0;                        // of the image in pieces
};

}  // namespace

void lower_native_passes(const Limits& limits, Program& program) {
  Lowering lowering(limits, program);
  for (std::vector<Step>* section :
       {&program.setup, &program.run, &program.iterate, &program.measure, &program.finish}) {
    lowering.lower(*section);
  }
}

}  // namespace convoy::inline v0
