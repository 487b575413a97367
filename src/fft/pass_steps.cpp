#include "fft/pass_steps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "device_model/common.hpp"
#include "fft/plan.hpp"

namespace convoy::inline v0 {
namespace {

std::uint32_t u32(Index value) { return static_cast<std::uint32_t>(value); }

}  // namespace

Index tiles_in(const Convolve& step) {
  if (!step.arrays) return step.geometry.batch;
  const Convolve::Arrays& arrays = *step.arrays;
  return step.geometry.batch * (has_tiles_in(arrays.fan) ? arrays.kernels_at_once : 1);
}
Index tiles_out(const Convolve& step) {
  if (!step.arrays) return step.geometry.batch;
  const Convolve::Arrays& arrays = *step.arrays;
  return step.geometry.batch * (has_tiles_out(arrays.fan) ? arrays.kernels_at_once : 1);
}

void PassSteps::place_kernel(SlotId source, const std::array<Index, 3>& size, const std::array<Index, 3>& place,
                             Index number, Index num) {
  std::vector<std::uint32_t> parameters{table_begin(0)};
  if (num > 1) parameters.push_back(u32(number));
  const Index apart = num > 1 ? spectrum_elements() : 0;
  if (g_.num_axes == 1) {
    const PassShape line = shape_of_lines();
    append_step(kernel_of(kernels::line_forward_placed(line, g_.precision, size[0], place[0], scale(), apart)),
                {source, slots_.spectrum}, parameters, kernels::threads_of_lines(line, 1));
    return;
  }
  if (g_.in_one_launch) {
    const TileShape tile = shape_of_tiles();
    parameters.insert(parameters.begin() + 1, table_begin(1));
    append_step(kernel_of(kernels::tile_forward_placed(tile, g_.precision, size, place, scale(), apart)),
                {source, slots_.spectrum}, parameters, kernels::threads_of_tiles(tile, 1));
    return;
  }
  const PassShape shape = shape_of_rows();
  const kernels::Rows rows = rows_of(size, spectrum_block() / block());
  const kernels::Placement placement{.voxel = place[0],
                                     .row = {place[1], g_.spectrum_extents()[1]},
                                     .plane = {place[2], g_.spectrum_extents()[2]},
                                     .kernel_stride = apart};
  append_step(kernel_of(kernels::rows_forward_placed(shape, g_.precision, rows, placement)), {source, slots_.spectrum},
              parameters, threads_of(shape, rows));
}

void PassSteps::transform_kernels(Index num) {
  if (g_.in_one_launch) return;  // they are, where they were put
  const int num_axes = g_.kernel_extent > 0 ? last_axis() : g_.num_axes;
  for (int axis = 1; axis < num_axes; ++axis) {
    kernels::Columns columns = columns_of(axis, g_.spectrum_extents());
    columns.block_stride = spectrum_block();
    if (num > 1) {
      columns.num_tiles = num;
      columns.tile_stride = spectrum_elements();
    }
    columns_forward(axis, slots_.spectrum, columns);
  }
}

Index PassSteps::place_of_sum() const {
  const Index column = StoredColumns(shape_of_rows().radices).special(0);
  return column / block() * spectrum_block() + column % block();
}

void PassSteps::convolve(const Convolve& step) {
  using Part = Convolve::Part;
  if (g_.in_one_launch) return g_.num_axes == 1 ? lines(step.conjugate) : tiles(step.conjugate);  // without parts
  const bool of_kernels = step.arrays && step.arrays->fan != KernelFan::Kind::single;
  if (step.part == Part::whole || step.part == Part::forward) forward();
  if (step.part == Part::whole) product(step.conjugate);
  if (step.part == Part::product) of_kernels ? product_of_kernels(step) : product_apart(step.conjugate, step.adds);
  if (step.part == Part::whole || step.part == Part::inverse) inverse();
}

/// Along all axes but the last, which is the product's.
void PassSteps::forward() {
  if (takes_planes()) return planes_forward(0, planes()[2]);
  rows_forward();
  for (int axis = 1; axis < last_axis(); ++axis) columns_forward(axis, slots_.work, columns_of(axis, g_.extent));
}
void PassSteps::inverse() {
  if (takes_planes()) return planes_inverse(0, planes()[2]);
  for (int axis = last_axis() - 1; axis >= 1; --axis) columns_inverse(axis);
  rows_inverse();
}

void PassSteps::planes_forward(Index first, Index count) {
  if (!forward_) forward_ = plane_kernel(true);
  append_planes(*forward_, slots_.image, true, first, count);
}
void PassSteps::planes_inverse(Index first, Index count) {
  if (!inverse_) inverse_ = plane_kernel(false);
  append_planes(*inverse_, slots_.output(), false, first, count);
}

bool PassSteps::takes_planes() const {
  return has_planes() && fused_planes_profitable(*shape_of_planes(), planes(), g_.precision, limits_);
}
std::optional<PlaneShape> PassSteps::shape_of_planes() const {
  return plane_shape(g_.padded[0], g_.padded[1], width_bytes(), g_.precision, limits_);
}
PassShape PassSteps::shape_of_lines() const {
  return line_shape(g_.padded[0], g_.precision, limits_, {0, g_.tuning.aim_threads}).value();
}
TileShape PassSteps::shape_of_tiles() const {
  return tile_shape(g_.padded, g_.precision, limits_, g_.tuning.aim_threads).value();
}
PassShape PassSteps::shape_of_rows() const { return row_shape(g_.padded[0], g_.precision, limits_).value(); }
PassShape PassSteps::shape_of_columns(int axis) const {
  return column_shape(g_.padded[static_cast<std::size_t>(axis)], role_of(axis, g_.num_axes), g_.precision, limits_,
                      {width_bytes(), g_.tuning.aim_threads})
      .value();
}

double PassSteps::scale() const {
  double scale = 1;
  for (const Index length : g_.padded) scale /= static_cast<double>(length);
  return scale;
}
/// Of a workgroup's columns: along all axes the same, for the blocks are as wide.
std::uint64_t PassSteps::width_bytes() const {
  if (g_.tuning.coalesced_bytes > 0) return g_.tuning.coalesced_bytes;
  return common_width_bytes(g_.num_axes, g_.padded, g_.precision, limits_);
}
/// Columns of a block: as many as a workgroup takes, so that it reads whole blocks and neighbouring ones read on.
Index PassSteps::block() const {
  return std::min(widest_block(num_columns(), g_.precision), shape_of_columns(1).width);
}
Index PassSteps::spectrum_elements() const {
  const auto [x, y, z] = g_.spectrum_extents();
  return x * y * z;
}

kernels::Rows PassSteps::rows_of(const std::array<Index, 3>& size, Index rows_of_block) const {
  return {.extent = size[0],
          .num_rows = size[1] * size[2],
          .rows_per_plane = size[1],
          .block = block(),
          .block_stride = block() * rows_of_block,
          .work_row = block(),
          .work_plane = block() * g_.padded[1]};
}
kernels::Rows PassSteps::rows_of_image(bool forth) const {
  kernels::Rows rows = rows_of(planes(), work_rows() * planes()[2]);
  rows.work_plane = plane();
  rows.planes_per_tile = g_.extent[2];
  if (slots_.arrays != nullptr) {
    rows.array = forth ? slots_.arrays->image : slots_.arrays->output;
    rows.extent = rows.array->axes[0].count;
  }
  return rows;
}
void PassSteps::rows_forward() {
  const PassShape shape = shape_of_rows();
  const kernels::Rows rows = rows_of_image(true);
  append_rows(kernels::rows_forward(shape, g_.precision, rows), slots_.image, true, threads_of(shape, rows));
}
void PassSteps::rows_inverse() {
  const PassShape shape = shape_of_rows();
  const kernels::Rows rows = rows_of_image(false);
  append_rows(kernels::rows_inverse(shape, g_.precision, rows, scale()), slots_.output(), false,
              threads_of(shape, rows));
}
void PassSteps::append_rows(KernelSpec kernel, SlotId image, bool forth, const std::array<std::uint64_t, 3>& threads) {
  append_step(kernel_of(std::move(kernel)), {image, slots_.work}, with_first_tile({table_begin(0)}, forth), threads);
}
/// The last parameters of passes that read or write the caller's array.
std::vector<std::uint32_t> PassSteps::with_first_tile(std::vector<std::uint32_t> parameters, bool forth) const {
  if (slots_.arrays == nullptr) return parameters;
  parameters.push_back(u32(slots_.arrays->first_tile));
  const TileAccess& array = forth ? slots_.arrays->image : slots_.arrays->output;
  if (array.num_kernels > 1) parameters.push_back(u32(slots_.arrays->first_kernel));
  return parameters;
}

/// Columns of device axis 1 or 2 of work or spectrum.
void PassSteps::columns_forward(int axis, SlotId data, const kernels::Columns& columns) {
  const PassShape shape = shape_of_columns(axis);
  append(kernels::columns_forward(shape, g_.precision, columns), axis, {data}, threads_of(shape, columns));
}
void PassSteps::columns_inverse(int axis) {
  const PassShape shape = shape_of_columns(axis);
  const kernels::Columns columns = columns_of(axis, g_.extent);
  append(kernels::columns_inverse(shape, g_.precision, columns), axis, {slots_.work}, threads_of(shape, columns));
}
void PassSteps::product(bool conjugate) {
  const PassShape shape = shape_of_columns(last_axis());
  const kernels::Columns columns = columns_of(last_axis(), g_.extent);
  append(kernels::columns_product(shape, g_.precision, columns, conjugate), last_axis(), {slots_.spectrum, slots_.work},
         threads_of(shape, columns));
}
void PassSteps::product_apart(bool conjugate, bool adds) {
  const PassShape shape = shape_of_columns(last_axis());
  const kernels::Columns columns = columns_of(last_axis(), g_.extent);
  append(kernels::columns_product_apart(shape, g_.precision, columns, conjugate, adds), last_axis(),
         {slots_.spectrum, slots_.work, slots_.product}, threads_of(shape, columns));
}

void PassSteps::product_of_kernels(const Convolve& step) {
  using Kind = KernelFan::Kind;
  const Convolve::Arrays& arrays = *step.arrays;
  const PassShape shape = shape_of_columns(last_axis());
  kernels::Columns columns = columns_of(last_axis(), g_.extent);
  columns.num_tiles = tiles_out(step);
  columns.block_stride = tile() * tiles_in(step);
  columns.kernels = {.fan = arrays.fan,
                     .batch = g_.batch,
                     .at_once = arrays.kernels_at_once,
                     .spectrum_stride = spectrum_elements(),
                     .product_block_stride = tile() * tiles_out(step)};
  std::vector<SlotId> slots{slots_.spectrum, slots_.work};
  if (arrays.fan != Kind::each) slots.push_back(slots_.product);
  append_step(kernel_of(kernels::columns_product_of_kernels(shape, g_.precision, columns, step.conjugate)),
              std::move(slots),
              {table_begin(last_axis()), u32(arrays.first_kernel), u32(arrays.num_kernels - arrays.first_kernel)},
              threads_of(shape, columns));
}

void PassSteps::lines(bool conjugate) {
  const PassShape shape = shape_of_lines();
  const Convolve::Arrays& arrays = *slots_.arrays;
  const kernels::LaunchKernels of_kernels{.fan = arrays.fan, .at_once = arrays.kernels_at_once};
  std::vector<std::uint32_t> parameters{table_begin(0), u32(arrays.first_tile)};
  if (arrays.fan != KernelFan::Kind::single) parameters.push_back(u32(arrays.first_kernel));
  append_step(kernel_of(kernels::lines_product(shape, g_.precision, arrays.image, arrays.output, g_.batch, of_kernels,
                                               conjugate)),
              {slots_.spectrum, slots_.image, slots_.output()}, parameters,
              kernels::threads_of_lines(shape, g_.batch, arrays.kernels_at_once));
}

void PassSteps::tiles(bool conjugate) {
  const TileShape shape = shape_of_tiles();
  const Convolve::Arrays& arrays = *slots_.arrays;
  const kernels::LaunchKernels of_kernels{.fan = arrays.fan, .at_once = arrays.kernels_at_once};
  std::vector<std::uint32_t> parameters{table_begin(0), table_begin(1), u32(arrays.first_tile)};
  if (arrays.fan != KernelFan::Kind::single) parameters.push_back(u32(arrays.first_kernel));
  append_step(kernel_of(kernels::tiles_product(shape, g_.precision, arrays.image, arrays.output, g_.batch, of_kernels,
                                               conjugate)),
              {slots_.spectrum, slots_.image, slots_.output()}, parameters,
              kernels::threads_of_tiles(shape, g_.batch, arrays.kernels_at_once));
}

/// A launch over planes; made for the first of a step's pieces.
PassSteps::PlaneKernel PassSteps::plane_kernel(bool forth) const {
  const PlaneShape shape = shape_of_planes().value();
  const PlaneSchedule schedule = schedule_of_planes(shape, forth, planes(), g_.precision, limits_);
  const kernels::Rows rows = rows_of_image(forth);
  const kernels::Columns columns = columns_of(1, g_.extent);
  return {shape, schedule,
          kernel_of(forth ? kernels::planes_forward(shape, g_.precision, rows, columns, schedule)
                          : kernels::planes_inverse(shape, g_.precision, rows, columns, schedule, scale()))};
}
void PassSteps::append_planes(const PlaneKernel& planes, SlotId image, bool forth, Index first, Index count) {
  append_step(planes.kernel, {image, slots_.work, slots_.progress},
              with_first_tile({table_begin(0), table_begin(1), u32(first), u32(count)}, forth),
              kernels::threads_of(planes.shape, planes.schedule, count));
}

kernels::Columns PassSteps::columns_of(int axis, const std::array<Index, 3>& extent) const {
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
          .extent = extent[static_cast<std::size_t>(axis)],
          .kernel = {g_.kernel_extent, g_.kernel_place}};
}
std::uint32_t PassSteps::table_begin(int axis) const {
  Index begin = 0;
  for (int before = 0; before < axis; ++before) {
    begin += pass_table_length(g_.padded[static_cast<std::size_t>(before)]);
  }
  return u32(begin);
}

KernelHandle PassSteps::kernel_of(KernelSpec kernel) const {
  if (g_.work_bytes() > device_model::kShortPassBytes) kernel.programmatic_dependent_launch = false;
  const auto text = [](const std::array<Index, 3>& size) { return fmt::format("{}x{}x{}", size[2], size[1], size[0]); };
  kernel.file_name = fmt::format("{}-tile_{}-padded_{}", kernel.name, text(g_.extent), text(g_.padded));
  kernel.notes.emplace(kernel.notes.begin(), "plan",
                       fmt::format("tile of {} voxels (z, y, x), padded to {}, path {}", text(g_.extent),
                                   text(g_.padded), name(g_.path)));
  return KernelHandle(std::move(kernel));
}
void PassSteps::append(KernelSpec kernel, int axis, std::vector<SlotId> slots,
                       const std::array<std::uint64_t, 3>& threads) {
  append_step(kernel_of(std::move(kernel)), std::move(slots), {table_begin(axis)}, threads);
}
void PassSteps::append_step(const KernelHandle& kernel, std::vector<SlotId> slots,
                            const std::vector<std::uint32_t>& parameters, const std::array<std::uint64_t, 3>& threads) {
  slots.insert(slots.begin(), slots_.tables);
  Dispatch dispatch{
      .kernel = kernel, .precision = g_.precision, .slots = std::move(slots), .parameters = {}, .threads = threads};
  for (const std::uint32_t value : parameters) dispatch.parameters.push_back(parameter(value));
  steps_.emplace_back(std::move(dispatch));
}

}  // namespace convoy::inline v0
