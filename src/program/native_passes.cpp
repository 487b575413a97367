#include "program/native_passes.hpp"

#include <utility>

#include "kernels/fft_passes.hpp"

namespace convoy {
namespace {

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

  void transform_kernel() {
    rows_forward(slots_.spectrum, slots_.spectrum, rows_of_spectrum());
    for (int axis = 1; axis < g_.num_axes; ++axis) columns_forward(axis, slots_.spectrum, g_.padded);
  }
  void convolve(bool conjugate) {
    const int last = g_.num_axes - 1;
    rows_forward(slots_.image, slots_.work, rows_of_image());
    for (int axis = 1; axis < last; ++axis) columns_forward(axis, slots_.work, g_.extent);
    columns_product(last, conjugate);
    for (int axis = last - 1; axis >= 1; --axis) columns_inverse(axis);
    rows_inverse();
  }

 private:
  kernels::Rows rows_of_image() const {
    return {.extent = g_.extent[0],
            .num_rows = g_.extent[1] * g_.extent[2],
            .rows_per_plane = g_.extent[1],
            .image_row = g_.extent[0],
            .image_plane = g_.extent[0] * g_.extent[1],
            .work_row = g_.row_pitch,
            .work_plane = plane()};
  }
  kernels::Rows rows_of_spectrum() const {
    return {.extent = g_.padded[0],
            .num_rows = g_.padded[1] * g_.padded[2],
            .rows_per_plane = g_.padded[1],
            .image_row = 2 * g_.row_pitch,
            .image_plane = 2 * plane(),
            .work_row = g_.row_pitch,
            .work_plane = plane()};
  }
  void rows_forward(SlotId image, SlotId work, const kernels::Rows& rows) {
    const PassShape shape = shape_of_rows();
    append(kernels::rows_forward(shape, g_.precision, rows), 0, {image, work}, threads_of(shape, rows));
  }
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
    const kernels::Columns columns = columns_of(axis, extent);
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

  Index plane() const { return g_.row_pitch * g_.padded[1]; }
  PassShape shape_of_rows() const { return row_shape(g_.padded[0], g_.precision, limits_).value(); }
  PassShape shape_of_columns(int axis) const {
    return column_shape(g_.padded[axis], g_.precision, limits_, {g_.tuning.coalesced_bytes, g_.tuning.aim_threads})
        .value();
  }
  kernels::Columns columns_of(int axis, const std::array<Index, 3>& extent) const {
    return {.num_columns = g_.padded[0] / 2 + 1,
            .num_outer = axis == 1 ? extent[2] : g_.padded[1],
            .outer_stride = axis == 1 ? plane() : g_.row_pitch,
            .element_stride = axis == 1 ? g_.row_pitch : plane(),
            .extent = extent[axis]};
  }
  std::uint32_t table_begin(int axis) const {
    Index begin = 0;
    for (int before = 0; before < axis; ++before) begin += pass_table_length(g_.padded[before]);
    return static_cast<std::uint32_t>(begin);
  }
  void append(KernelSpec kernel, int axis, std::vector<SlotId> slots, const std::array<std::uint64_t, 3>& threads) {
    slots.insert(slots.begin(), slots_.tables);
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
    const std::vector<std::byte> table = pass_table(geometry.padded[axis], geometry.precision);
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
      if (const auto* transform = std::get_if<TransformKernel>(&step); transform && is_native(transform->geometry)) {
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
