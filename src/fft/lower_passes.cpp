#include "fft/lower_passes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "device_model/common.hpp"
#include "fft/passes.hpp"
#include "fft/plan.hpp"
#include "kernels/deconvolution_kernels.hpp"

namespace convoy {
namespace {

struct NativeSlots {
  SlotId image = 0;
  SlotId work = 0;
  SlotId spectrum = 0;
  SlotId product = 0;  ///< of Convolve::Part::product
  SlotId tables = 0;
  SlotId progress = 0;
  const Convolve::Arrays* arrays = nullptr;  ///< then `image` is the caller's, and the output has a slot of its own
  SlotId output() const { return arrays != nullptr ? arrays->output_slot : image; }
};

/// Appends the passes of one step.
class PassSteps {
 public:
  PassSteps(const FftGeometry& geometry, const Limits& limits, const NativeSlots& slots, std::vector<Step>& steps)
      : g_(geometry), limits_(limits), slots_(slots), steps_(steps) {}

  /// The rows of a box of the kernel, from `source` into the cleared spectrum.
  void place_kernel(SlotId source, const std::array<Index, 3>& size, const std::array<Index, 3>& place) {
    if (g_.num_axes == 1) {
      const PassShape line = shape_of_lines();
      append(kernels::line_forward_placed(line, g_.precision, size[0], place[0], scale()), 0, {source, slots_.spectrum},
             kernels::threads_of_lines(line, 1));
      return;
    }
    if (g_.in_one_launch) {
      const TileShape tile = shape_of_tiles();
      append_step(kernel_of(kernels::tile_forward_placed(tile, g_.precision, size, place, scale())),
                  {source, slots_.spectrum}, {table_begin(0), table_begin(1)}, kernels::threads_of_tiles(tile, 1));
      return;
    }
    const PassShape shape = shape_of_rows();
    const kernels::Rows rows = rows_of(size, spectrum_block() / block());
    const kernels::Placement placement{
        .voxel = place[0], .row = {place[1], g_.spectrum_extents()[1]}, .plane = {place[2], g_.spectrum_extents()[2]}};
    append(kernels::rows_forward_placed(shape, g_.precision, rows, placement), 0, {source, slots_.spectrum},
           threads_of(shape, rows));
  }
  /// And its columns.
  void transform_kernel() {
    if (g_.in_one_launch) return;  // it is, where it was put
    const int num_axes = g_.kernel_extent > 0 ? last_axis() : g_.num_axes;
    for (int axis = 1; axis < num_axes; ++axis) columns_forward(axis, slots_.spectrum, g_.spectrum_extents());
  }
  /// The element of the spectrum that is the kernel's sum: that of frequency 0, which rows do not store first.
  Index place_of_sum() const {
    const Index column = StoredColumns(shape_of_rows().radices).special(0);
    return column / block() * spectrum_block() + column % block();
  }
  void convolve(const Convolve& step) {
    using Part = Convolve::Part;
    if (g_.num_axes == 1) return lines(step.conjugate);  // which have no parts
    if (g_.in_one_launch) return tiles(step.conjugate);
    if (step.part == Part::whole || step.part == Part::forward) forward();
    if (step.part == Part::whole) product(step.conjugate);
    if (step.part == Part::product) product_apart(step.conjugate, step.adds);
    if (step.part == Part::whole || step.part == Part::inverse) inverse();
  }
  /// Along all axes but the last, which is the product's.
  void forward() {
    if (takes_planes()) return planes_forward(0, planes()[2]);
    rows_forward();
    for (int axis = 1; axis < last_axis(); ++axis) columns_forward(axis, slots_.work, g_.extent);
  }
  void inverse() {
    if (takes_planes()) return planes_inverse(0, planes()[2]);
    for (int axis = last_axis() - 1; axis >= 1; --axis) columns_inverse(axis);
    rows_inverse();
  }

  /// The three parts of a convolution that can be run on some planes only, if planes can be done in one launch.
  bool has_planes() const { return limits_.workgroups_may_wait && g_.num_axes == 3 && shape_of_planes(); }
  void planes_forward(Index first, Index count) {
    if (!forward_) forward_ = plane_kernel(true);
    append_planes(*forward_, slots_.image, true, first, count);
  }
  void product(bool conjugate) { columns_product(last_axis(), conjugate); }
  void planes_inverse(Index first, Index count) {
    if (!inverse_) inverse_ = plane_kernel(false);
    append_planes(*inverse_, slots_.output(), false, first, count);
  }

 private:
  int last_axis() const { return g_.num_axes - 1; }
  bool takes_planes() const {
    return has_planes() && fused_planes_profitable(*shape_of_planes(), planes(), g_.precision, limits_);
  }
  std::optional<PlaneShape> shape_of_planes() const {
    return plane_shape(g_.padded[0], g_.padded[1], width_bytes(), g_.precision, limits_);
  }
  double scale() const {
    double scale = 1;
    for (const Index length : g_.padded) scale /= static_cast<double>(length);
    return scale;
  }
  /// Columns of a block: as many as a workgroup takes, so that it reads whole blocks and neighbouring ones read on.
  Index block() const { return std::min(widest_block(num_columns(), g_.precision), shape_of_columns(1).width); }
  Index num_columns() const { return g_.padded[0] / 2 + 1; }
  /// Complex numbers of a plane of a block of columns.
  Index plane() const { return block() * work_rows(); }
  Index work_rows() const { return g_.num_axes > 2 ? g_.padded[1] : g_.extent[1]; }
  Index tile() const { return plane() * g_.extent[2]; }
  Index work_block() const { return tile() * g_.batch; }
  std::array<Index, 3> planes() const { return planes_of_batch(g_); }
  Index spectrum_block() const { return block() * g_.spectrum_extents()[1] * g_.spectrum_extents()[2]; }

  kernels::Rows rows_of(const std::array<Index, 3>& size, Index rows_of_block) const {
    return {.extent = size[0],
            .num_rows = size[1] * size[2],
            .rows_per_plane = size[1],
            .block = block(),
            .block_stride = block() * rows_of_block,
            .work_row = block(),
            .work_plane = block() * g_.padded[1]};
  }
  kernels::Rows rows_of_image(bool forth) const {
    kernels::Rows rows = rows_of(planes(), work_rows() * planes()[2]);
    rows.work_plane = plane();
    rows.planes_per_tile = g_.extent[2];
    if (slots_.arrays != nullptr) {
      rows.array = forth ? slots_.arrays->image : slots_.arrays->output;
      rows.extent = rows.array->axes[0].count;
    }
    return rows;
  }
  void rows_forward() {
    const PassShape shape = shape_of_rows();
    const kernels::Rows rows = rows_of_image(true);
    append_rows(kernels::rows_forward(shape, g_.precision, rows), slots_.image, true, threads_of(shape, rows));
  }
  void rows_inverse() {
    const PassShape shape = shape_of_rows();
    const kernels::Rows rows = rows_of_image(false);
    append_rows(kernels::rows_inverse(shape, g_.precision, rows, scale()), slots_.output(), false,
                threads_of(shape, rows));
  }
  void append_rows(KernelSpec kernel, SlotId image, bool forth, const std::array<std::uint64_t, 3>& threads) {
    append_step(kernel_of(std::move(kernel)), {image, slots_.work}, with_first_tile({table_begin(0)}, forth), threads);
  }
  /// The last parameter of passes that read or write the caller's array.
  std::vector<std::uint32_t> with_first_tile(std::vector<std::uint32_t> parameters, bool forth) const {
    if (slots_.arrays == nullptr) return parameters;
    const Index first = forth ? slots_.arrays->first_tile : slots_.arrays->first_output;
    parameters.push_back(static_cast<std::uint32_t>(first));
    return parameters;
  }

  /// Columns of device axis 1 or 2 of work or spectrum, which hold `extent` elements of them.
  void columns_forward(int axis, SlotId data, const std::array<Index, 3>& extent) {
    const PassShape shape = shape_of_columns(axis);
    kernels::Columns columns = columns_of(axis, extent);
    if (data == slots_.spectrum) columns.block_stride = spectrum_block();
    append(kernels::columns_forward(shape, g_.precision, columns), axis, {data}, threads_of(shape, columns));
  }
  void columns_inverse(int axis) {
    const PassShape shape = shape_of_columns(axis);
    const kernels::Columns columns = columns_of(axis, g_.extent);
    append(kernels::columns_inverse(shape, g_.precision, columns), axis, {slots_.work}, threads_of(shape, columns));
  }
  void columns_product(int axis, bool conjugate) {
    const PassShape shape = shape_of_columns(axis);
    const kernels::Columns columns = columns_of(axis, g_.extent);
    append(kernels::columns_product(shape, g_.precision, columns, conjugate), axis, {slots_.spectrum, slots_.work},
           threads_of(shape, columns));
  }

  void product_apart(bool conjugate, bool adds) {
    const PassShape shape = shape_of_columns(last_axis());
    const kernels::Columns columns = columns_of(last_axis(), g_.extent);
    append(kernels::columns_product_apart(shape, g_.precision, columns, conjugate, adds), last_axis(),
           {slots_.spectrum, slots_.work, slots_.product}, threads_of(shape, columns));
  }

  void lines(bool conjugate) {
    const PassShape shape = shape_of_lines();
    const Convolve::Arrays& arrays = *slots_.arrays;
    append_step(
        kernel_of(kernels::lines_product(shape, g_.precision, arrays.image, arrays.output, g_.batch, conjugate)),
        {slots_.spectrum, slots_.image, slots_.output()},
        {table_begin(0), static_cast<std::uint32_t>(arrays.first_tile),
         static_cast<std::uint32_t>(arrays.first_output)},
        kernels::threads_of_lines(shape, g_.batch));
  }
  void tiles(bool conjugate) {
    const TileShape shape = shape_of_tiles();
    const Convolve::Arrays& arrays = *slots_.arrays;
    append_step(
        kernel_of(kernels::tiles_product(shape, g_.precision, arrays.image, arrays.output, g_.batch, conjugate)),
        {slots_.spectrum, slots_.image, slots_.output()},
        {table_begin(0), table_begin(1), static_cast<std::uint32_t>(arrays.first_tile),
         static_cast<std::uint32_t>(arrays.first_output)},
        kernels::threads_of_tiles(shape, g_.batch));
  }
  TileShape shape_of_tiles() const {
    return tile_shape(g_.padded, g_.precision, limits_, g_.tuning.aim_threads).value();
  }
  PassShape shape_of_lines() const {
    return line_shape(g_.padded[0], g_.precision, limits_, {0, g_.tuning.aim_threads}).value();
  }
  PassShape shape_of_rows() const { return row_shape(g_.padded[0], g_.precision, limits_).value(); }
  PassShape shape_of_columns(int axis) const {
    return column_shape(g_.padded[axis], role_of(axis, g_.num_axes), g_.precision, limits_,
                        {width_bytes(), g_.tuning.aim_threads})
        .value();
  }
  /// Of a workgroup's columns: along all axes the same, for the blocks are as wide.
  std::uint64_t width_bytes() const {
    if (g_.tuning.coalesced_bytes > 0) return g_.tuning.coalesced_bytes;
    return common_width_bytes(g_.num_axes, g_.padded, g_.precision, limits_);
  }
  /// A launch over planes; made for the first of a step's pieces.
  struct PlaneKernel {
    PlaneShape shape;
    PlaneSchedule schedule;
    KernelHandle kernel;
  };
  PlaneKernel plane_kernel(bool forth) const {
    const PlaneShape shape = shape_of_planes().value();
    const PlaneSchedule schedule = schedule_of_planes(shape, forth, planes(), g_.precision, limits_);
    const kernels::Rows rows = rows_of_image(forth);
    const kernels::Columns columns = columns_of(1, g_.extent);
    return {shape, schedule,
            kernel_of(forth ? kernels::planes_forward(shape, g_.precision, rows, columns, schedule)
                            : kernels::planes_inverse(shape, g_.precision, rows, columns, schedule, scale()))};
  }
  void append_planes(const PlaneKernel& planes, SlotId image, bool forth, Index first, Index count) {
    append_step(planes.kernel, {image, slots_.work, slots_.progress},
                with_first_tile({table_begin(0), table_begin(1), static_cast<std::uint32_t>(first),
                                 static_cast<std::uint32_t>(count)},
                                forth),
                kernels::threads_of(planes.shape, planes.schedule, count));
  }
  kernels::Columns columns_of(int axis, const std::array<Index, 3>& extent) const {
    const bool multiplies = axis == last_axis();
    return {.num_columns = num_columns(),
            .block = block(),
            .block_stride = work_block(),
            .spectrum_block_stride = spectrum_block(),
            .num_outer = axis == 2    ? g_.padded[1]
                         : multiplies ? 1
                                      : extent[2] * g_.batch,
            .outer_stride = axis == 1 ? plane() : block(),
            .num_tiles = multiplies ? g_.batch : 1,
            .tile_stride = tile(),
            .element_stride = axis == 1 ? block() : plane(),
            .extent = extent[axis],
            .kernel = {g_.kernel_extent, g_.kernel_place}};
  }
  std::uint32_t table_begin(int axis) const {
    Index begin = 0;
    for (int before = 0; before < axis; ++before) begin += pass_table_length(g_.padded[before]);
    return static_cast<std::uint32_t>(begin);
  }
  KernelHandle kernel_of(KernelSpec kernel) const {
    if (g_.work_bytes() > device_model::kShortPassBytes) kernel.programmatic_dependent_launch = false;
    const auto text = [](const std::array<Index, 3>& size) {
      return fmt::format("{}x{}x{}", size[2], size[1], size[0]);
    };
    kernel.file_name = fmt::format("{}-tile_{}-padded_{}", kernel.name, text(g_.extent), text(g_.padded));
    kernel.notes.emplace(kernel.notes.begin(), "plan",
                         fmt::format("tile of {} voxels (z, y, x), padded to {}, path {}", text(g_.extent),
                                     text(g_.padded), name(g_.path)));
    return KernelHandle(std::move(kernel));
  }
  void append(KernelSpec kernel, int axis, std::vector<SlotId> slots, const std::array<std::uint64_t, 3>& threads) {
    append_step(kernel_of(std::move(kernel)), std::move(slots), {table_begin(axis)}, threads);
  }
  void append_step(const KernelHandle& kernel, std::vector<SlotId> slots, const std::vector<std::uint32_t>& parameters,
                   const std::array<std::uint64_t, 3>& threads) {
    slots.insert(slots.begin(), slots_.tables);
    Dispatch dispatch{
        .kernel = kernel, .precision = g_.precision, .slots = std::move(slots), .parameters = {}, .threads = threads};
    for (const std::uint32_t value : parameters) dispatch.parameters.push_back(parameter(value));
    steps_.emplace_back(std::move(dispatch));
  }

  const FftGeometry& g_;
  const Limits& limits_;
  const NativeSlots slots_;
  std::vector<Step>& steps_;
  std::optional<PlaneKernel> forward_;
  std::optional<PlaneKernel> inverse_;
};

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
    for (Step& step : section) find_sum(section, step);
    std::vector<Step> lowered;
    std::optional<PassSteps> pieces = passes_in_pieces(section, lowered);
    for (Step& step : section) {
      if (const FftGeometry* placed = geometry_of_placed(section, step)) {
        place_kernel(*placed, std::get<Dispatch>(step), lowered);
      } else if (const auto* transform = std::get_if<TransformKernel>(&step);
                 transform && is_native(transform->geometry)) {
        const NativeSlots slots{.spectrum = transform->spectrum, .tables = tables(transform->geometry)};
        PassSteps(transform->geometry, limits_, slots, lowered).transform_kernel();
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
    passes.emplace(only->geometry, limits_, slots_of(*only), lowered);
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

  /// Of the transform that makes this spectrum, if it is one of our own passes.
  static const FftGeometry* geometry_of_spectrum(const std::vector<Step>& section, SlotId spectrum) {
    for (const Step& other : section) {
      const auto* transform = std::get_if<TransformKernel>(&other);
      if (transform == nullptr || transform->spectrum != spectrum) continue;
      return is_native(transform->geometry) ? &transform->geometry : nullptr;
    }
    return nullptr;
  }
  /// Of the kernel that the step puts into a spectrum, if own passes are to transform that.
  static const FftGeometry* geometry_of_placed(const std::vector<Step>& section, const Step& step) {
    const auto* dispatch = std::get_if<Dispatch>(&step);
    if (dispatch == nullptr || !(dispatch->kernel == &kernels::place_kernel)) return nullptr;
    return geometry_of_spectrum(section, dispatch->slots.back());
  }
  /// Has the step that reads the kernel's sum read it where own passes leave it.
  void find_sum(const std::vector<Step>& section, Step& step) const {
    auto* dispatch = std::get_if<Dispatch>(&step);
    if (dispatch == nullptr || !(dispatch->kernel == &kernels::remember_response)) return;
    const FftGeometry* geometry = geometry_of_spectrum(section, dispatch->slots.front());
    if (geometry == nullptr) return;
    std::vector<Step> none;
    const Index place = PassSteps(*geometry, limits_, {}, none).place_of_sum();
    dispatch->parameter("place") = parameter(static_cast<std::uint32_t>(place));
  }
  /// In place of the kernel's voxels, their rows' frequencies are put there.
  void place_kernel(const FftGeometry& geometry, const Dispatch& dispatch, std::vector<Step>& lowered) {
    const auto value = [&dispatch](const char* name) { return Index{dispatch.parameter(name).bits}; };
    const std::array<Index, 3> size{value("size_x"), value("size_y"), value("size_z")};
    const std::array<Index, 3> place{value("shift_x"), value("shift_y"), value("shift_z")};
    const NativeSlots slots{.spectrum = dispatch.slots.back(), .tables = tables(geometry)};
    PassSteps(geometry, limits_, slots, lowered).place_kernel(dispatch.slots.front(), size, place);
  }

  /// Equal convolutions share their kernels; so do those that differ in slots and in the first tile alone.
  std::vector<Step> passes_of(const Convolve& convolve) {
    for (const auto& [known, passes] : passes_) {
      if (is_alike(known, convolve)) return rebound(passes, known, convolve);
    }
    auto& [known, passes] = passes_.emplace_back(convolve, std::vector<Step>());
    PassSteps(convolve.geometry, limits_, slots_of(convolve), passes).convolve(convolve);
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
      other.arrays->first_output = known.arrays->first_output;
    }
    return known == other;
  }
  static std::vector<Step> rebound(std::vector<Step> passes, const Convolve& from, const Convolve& to) {
    const auto moved = moved_slots(from, to);
    for (Step& step : passes) {
      auto& dispatch = std::get<Dispatch>(step);
      if (from.arrays && from.part != Convolve::Part::product) {
        const auto touches = [&](SlotId slot) {
          return std::count(dispatch.slots.begin(), dispatch.slots.end(), slot) > 0;
        };
        const bool reads = from.part != Convolve::Part::inverse && touches(from.image);
        const bool writes = from.part != Convolve::Part::forward && touches(from.arrays->output_slot);
        auto last = dispatch.parameters.rbegin();
        if (writes) *last++ = parameter(static_cast<std::uint32_t>(to.arrays->first_output));
        if (reads) *last = parameter(static_cast<std::uint32_t>(to.arrays->first_tile));
      }
      for (SlotId& slot : dispatch.slots) {
        const auto found = std::find_if(moved.begin(), moved.end(), [&](const auto& one) { return one.first == slot; });
        if (found != moved.end()) slot = found->second;
      }
    }
    return passes;
  }
  NativeSlots slots_of(const Convolve& convolve) {
    return {convolve.image,
            convolve.work,
            convolve.spectrum,
            convolve.product,
            tables(convolve.geometry),
            progress(convolve.geometry),
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
  std::uint64_t plane_bytes_ = 0;  // of the image in pieces
};

}  // namespace

void lower_native_passes(const Limits& limits, Program& program) {
  Lowering lowering(limits, program);
  for (std::vector<Step>* section :
       {&program.setup, &program.run, &program.iterate, &program.measure, &program.finish}) {
    lowering.lower(*section);
  }
}

}  // namespace convoy
