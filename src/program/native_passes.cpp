#include "program/native_passes.hpp"

#include <algorithm>
#include <utility>

#include "kernels/fft_passes.hpp"

namespace convoy {
namespace {

constexpr Index kMostColumns = 1024;
/// Passes over more last so long that a gap between them is nothing; their early groups only get in the way.
constexpr std::uint64_t kShortPassBytes = 256 << 20;

ColumnRole role_of(int axis, const FftGeometry& geometry) {
  return axis == geometry.num_axes - 1 ? ColumnRole::product : ColumnRole::transform;
}

struct NativeSlots {
  SlotId image = 0;
  SlotId work = 0;
  SlotId spectrum = 0;
  SlotId tables = 0;
};

/// Appends the passes of one step.
class PassSteps {
 public:
  PassSteps(const FftGeometry& geometry, const Limits& limits, const NativeSlots& slots, std::vector<Step>& steps)
      : g_(geometry), limits_(limits), slots_(slots), steps_(steps) {}

  /// The rows of a box of the kernel, from `source` into the cleared spectrum.
  void place_kernel(SlotId source, const std::array<Index, 3>& size, const std::array<Index, 3>& place) {
    const PassShape shape = shape_of_rows();
    const kernels::Rows rows = rows_of(size, g_.padded[1] * g_.padded[2]);
    const kernels::Placement placement{
        .voxel = place[0], .row = {place[1], g_.padded[1]}, .plane = {place[2], g_.padded[2]}};
    append(kernels::rows_forward_placed(shape, g_.precision, rows, placement), 0, {source, slots_.spectrum},
           threads_of(shape, rows));
  }
  /// And its columns.
  void transform_kernel() {
    for (int axis = 1; axis < g_.num_axes; ++axis) columns_forward(axis, slots_.spectrum, g_.padded);
  }
  void convolve(bool conjugate) {
    const int last = g_.num_axes - 1;
    const PassShape shape = shape_of_rows();
    append(kernels::rows_forward(shape, g_.precision, rows_of_image()), 0, {slots_.image, slots_.work},
           threads_of(shape, rows_of_image()));
    for (int axis = 1; axis < last; ++axis) columns_forward(axis, slots_.work, g_.extent);
    columns_product(last, conjugate);
    for (int axis = last - 1; axis >= 1; --axis) columns_inverse(axis);
    rows_inverse();
  }

 private:
  /// Columns of a block: as many as a workgroup takes, so that it reads whole blocks and neighbouring ones read on.
  Index block() const { return std::min(widest_block(num_columns(), g_.precision), shape_of_columns(1).width); }
  Index num_columns() const { return g_.padded[0] / 2 + 1; }
  /// Complex numbers of a plane of a block of columns.
  Index plane() const { return block() * work_rows(); }
  Index work_rows() const { return g_.num_axes > 2 ? g_.padded[1] : g_.extent[1]; }
  Index work_block() const { return plane() * g_.extent[2]; }
  Index spectrum_block() const { return block() * g_.padded[1] * g_.padded[2]; }

  kernels::Rows rows_of(const std::array<Index, 3>& size, Index rows_of_block) const {
    return {.extent = size[0],
            .num_rows = size[1] * size[2],
            .rows_per_plane = size[1],
            .block = block(),
            .block_stride = block() * rows_of_block,
            .work_row = block(),
            .work_plane = block() * g_.padded[1]};
  }
  kernels::Rows rows_of_image() const { return rows_of(g_.extent, work_rows() * g_.extent[2]); }
  void rows_inverse() {
    const PassShape shape = shape_of_rows();
    const kernels::Rows rows = rows_of_image();
    double scale = 1;
    for (const Index length : g_.padded) scale /= static_cast<double>(length);
    append(kernels::rows_inverse(shape, g_.precision, rows, scale), 0, {slots_.image, slots_.work},
           threads_of(shape, rows));
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

  PassShape shape_of_rows() const { return row_shape(g_.padded[0], g_.precision, limits_).value(); }
  PassShape shape_of_columns(int axis) const {
    return column_shape(g_.padded[axis], role_of(axis, g_), g_.precision, limits_,
                        {width_bytes(), g_.tuning.aim_threads})
        .value();
  }
  /// Of a workgroup's columns: along all axes the same, for the blocks are as wide.
  std::uint64_t width_bytes() const {
    if (g_.tuning.coalesced_bytes > 0) return g_.tuning.coalesced_bytes;
    Index width = kMostColumns;
    for (int axis = 1; axis < g_.num_axes; ++axis) {
      width = std::min(width, column_shape(g_.padded[axis], role_of(axis, g_), g_.precision, limits_).value().width);
    }
    return static_cast<std::uint64_t>(width) * 2 * g_.real_bytes();
  }
  kernels::Columns columns_of(int axis, const std::array<Index, 3>& extent) const {
    return {.num_columns = num_columns(),
            .block = block(),
            .block_stride = work_block(),
            .spectrum_block_stride = spectrum_block(),
            .num_outer = axis == 1 ? extent[2] : g_.padded[1],
            .outer_stride = axis == 1 ? plane() : block(),
            .element_stride = axis == 1 ? block() : plane(),
            .extent = extent[axis]};
  }
  std::uint32_t table_begin(int axis) const {
    Index begin = 0;
    for (int before = 0; before < axis; ++before) begin += pass_table_length(g_.padded[before]);
    return static_cast<std::uint32_t>(begin);
  }
  void append(KernelSpec kernel, int axis, std::vector<SlotId> slots, const std::array<std::uint64_t, 3>& threads) {
    slots.insert(slots.begin(), slots_.tables);
    if (g_.work_bytes() > kShortPassBytes) kernel.starts_early = false;
    steps_.emplace_back(Dispatch{.kernel = std::move(kernel),
                                 .precision = g_.precision,
                                 .slots = std::move(slots),
                                 .parameters = {parameter(table_begin(axis))},
                                 .threads = threads});
  }

  const FftGeometry& g_;
  const Limits& limits_;
  const NativeSlots& slots_;
  std::vector<Step>& steps_;
};

std::vector<std::byte> tables_of(const FftGeometry& geometry) {
  std::vector<std::byte> bytes;
  for (int axis = 0; axis < geometry.num_axes; ++axis) {
    const Index length = geometry.padded[axis];
    const std::vector<std::byte> table = axis == 0 ? row_table(length, geometry.precision)
                                                   : column_table(length, role_of(axis, geometry), geometry.precision);
    bytes.insert(bytes.end(), table.begin(), table.end());
  }
  return bytes;
}

class Lowering {
 public:
  Lowering(const Limits& limits, Program& program) : limits_(limits), program_(program) {}

  void lower(std::vector<Step>& section) {
    std::vector<Step> lowered;
    for (Step& step : section) {
      if (const FftGeometry* placed = geometry_of_placed(section, step)) {
        place_kernel(*placed, std::get<Dispatch>(step), lowered);
      } else if (const auto* transform = std::get_if<TransformKernel>(&step);
                 transform && is_native(transform->geometry)) {
        const NativeSlots slots{0, 0, transform->spectrum, tables(transform->geometry)};
        PassSteps(transform->geometry, limits_, slots, lowered).transform_kernel();
      } else if (const auto* convolve = std::get_if<Convolve>(&step); convolve && is_native(convolve->geometry)) {
        const std::vector<Step>& passes = passes_of(*convolve);
        lowered.insert(lowered.end(), passes.begin(), passes.end());
      } else {
        lowered.push_back(std::move(step));
      }
    }
    section = std::move(lowered);
  }

 private:
  static bool is_native(const FftGeometry& geometry) { return geometry.path == Path::native; }

  /// Of the kernel that the step puts into a spectrum, if own passes are to transform that.
  static const FftGeometry* geometry_of_placed(const std::vector<Step>& section, const Step& step) {
    const auto* dispatch = std::get_if<Dispatch>(&step);
    if (dispatch == nullptr || !(dispatch->kernel == &kernels::place_kernel)) return nullptr;
    for (const Step& other : section) {
      const auto* transform = std::get_if<TransformKernel>(&other);
      if (transform == nullptr || transform->spectrum != dispatch->slots.back()) continue;
      return is_native(transform->geometry) ? &transform->geometry : nullptr;
    }
    return nullptr;
  }
  /// In place of the kernel's voxels, their rows' frequencies are put there.
  void place_kernel(const FftGeometry& geometry, const Dispatch& dispatch, std::vector<Step>& lowered) {
    const auto extents = [&dispatch](std::size_t first) {
      std::array<Index, 3> three{};
      for (std::size_t d = 0; d < 3; ++d) three[d] = dispatch.parameters[first + d].bits;
      return three;
    };
    const NativeSlots slots{0, 0, dispatch.slots.back(), tables(geometry)};
    PassSteps(geometry, limits_, slots, lowered).place_kernel(dispatch.slots.front(), extents(0), extents(3));
  }

  /// Equal convolutions share their kernels.
  const std::vector<Step>& passes_of(const Convolve& convolve) {
    for (const auto& [known, passes] : passes_) {
      if (known == convolve) return passes;
    }
    const NativeSlots slots{convolve.image, convolve.work, convolve.spectrum, tables(convolve.geometry)};
    auto& [known, passes] = passes_.emplace_back(convolve, std::vector<Step>());
    PassSteps(convolve.geometry, limits_, slots, passes).convolve(convolve.conjugate);
    return passes;
  }

  SlotId tables(const FftGeometry& geometry) {
    for (const auto& [known, slot] : tables_) {
      if (known == geometry) return slot;
    }
    auto contents = std::make_shared<const std::vector<std::byte>>(tables_of(geometry));
    program_.slots.push_back({.name = "tables", .bytes = contents->size(), .contents = contents});
    return tables_.emplace_back(geometry, static_cast<SlotId>(program_.slots.size() - 1)).second;
  }

  const Limits& limits_;
  Program& program_;
  std::vector<std::pair<FftGeometry, SlotId>> tables_;
  std::vector<std::pair<Convolve, std::vector<Step>>> passes_;
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
