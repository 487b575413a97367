// Tiles of a plane, read, convolved and written by one workgroup each in one launch (overlap-save).
#include <algorithm>

#include "fft/array_text.hpp"
#include "fft/pair_text.hpp"
#include "fft/pass_body.hpp"
#include "fft/pass_text.hpp"

namespace convoy::kernels {
namespace {

using namespace pass_text;

/// Every tile is a plane, of which rows count.
Rows rows_of(const TileAccess& array, Index rows) {
  return {.extent = array.axes[0].count, .num_rows = rows * array.num_tiles(), .rows_per_plane = rows, .array = array};
}

MemoryView shared_row(const TileShape& shape) { return shared_access(fmt::format("line * {}u + at", shape.pitch), 1); }

MemoryView shared_column(const TileShape& shape) {
  return shared_access(fmt::format("at * {}u + line", shape.pitch), shape.pitch);
}

StagesText stages_of_rows(std::string& text, const TileShape& shape, Precision precision, Index num_rows) {
  return {text, shape.radices[0],
          TransformThreads{
              .count = shape.threads, .number = "thread", .num_transforms = num_rows, .first_stage_along = true},
          precision, shared_row(shape)};
}

StagesText stages_of_columns(std::string& text, const TileShape& shape, Precision precision) {
  return {text, shape.radices[1],
          TransformThreads{.count = shape.threads, .number = "thread", .num_transforms = shape.length[0]}, precision,
          shared_column(shape)};
}

KernelSpec tile_pass(const char* what, const TileShape& shape, Precision precision, const char* about) {
  KernelSpec spec;
  spec.name = fmt::format("{}_{}_{}", what, shape.length[1], shape.length[0]);
  spec.notes = {{"pass", about},
                {"transform",
                 fmt::format("columns of {} = {}, rows of {} = {}", shape.length[1], fmt::join(shape.radices[1], " * "),
                             shape.length[0], fmt::join(shape.radices[0], " * "))},
                {"threads", fmt::format("local_x: one of {} of a pair of tiles", shape.threads)}};
  spec.parameters = {{"rows_table", KernelSpec::Parameter::Kind::u32},
                     {"columns_table", KernelSpec::Parameter::Kind::u32}};
  spec.programmatic_dependent_launch = true;
  spec.workgroup = {u32(shape.threads), 1, 1};
  spec.num_shared = static_cast<std::uint64_t>(shape.num_shared());
  if (precision == Precision::f32) spec.min_threads_per_sm = u32(shape.groups * shape.threads);
  return spec;
}

/// Where the pair's rows lie is said once a row, for threads change from row to row.
std::function<std::string(Index)> of_both_rows(const ArrayText& array, const ArrayNames& names,
                                               const std::function<std::string(Index)>& begin) {
  return [text = array.where(names.first, "line") + array.where(names.second, "line"), begin](Index stride) {
    return text + begin(stride);
  };
}

}  // namespace

KernelSpec tiles_product(const TileShape& shape, Precision precision, const TileAccess& image, const TileAccess& output,
                         Index num_tiles, const LaunchKernels& kernels, bool conjugate) {
  KernelSpec spec = tile_pass("tiles_product", shape, precision,
                              "tiles of planes forward, two at a time as real and imaginary part, times the spectrum, "
                              "inverse");
  spec.buffers = {table_buffer(),
                  {"spectrum", kReal2, false,
                   "of the filter, scaled, in the order in which the last stages leave frequencies (digits reversed)"},
                  array_buffer(image, false),
                  array_buffer(output, true, "result")};
  spec.parameters.push_back({"begin_tile", KernelSpec::Parameter::Kind::u32});
  const bool of_kernels = kernels.fan != KernelFan::Kind::single;
  if (of_kernels) spec.parameters.push_back({"begin_kernel", KernelSpec::Parameter::Kind::u32});
  const bool isolates = num_tiles > image.num_tiles_of_image() && !image.replaces_non_finite;
  const Rows from = rows_of(image, shape.length[1]);
  const Rows to = rows_of(output, std::min(shape.length[1], output.axes[1].count));
  const ArrayNames read_names{.non_finite = isolates ? "shared_values[own_non_finite]" : "",
                              .first_plane = name_of_tile(image, "row"),
                              .second_plane = name_of_tile(image, "next")};
  const ArrayNames written_names{.buffer = "result",
                                 .first = "first_out",
                                 .second = "second_out",
                                 .first_plane = name_of_tile(output, "row"),
                                 .second_plane = name_of_tile(output, "next")};
  const ArrayText reads(from, precision, true, read_names);
  const ArrayText writes(to, precision, true, written_names);
  MemoryView voxels = reads.access();
  voxels.begin = of_both_rows(reads, read_names, voxels.begin);
  MemoryView written = writes.access("");
  written.begin = of_both_rows(writes, written_names, written.begin);
  if (isolates) {
    written.begin = [begin = written.begin](Index stride) {
      return begin(stride) + "real2 kept = shared_values[own_non_finite];\n";
    };
    written.store = [store = written.store](const ComplexName& value, Index j, Index stride) {
      return store({value.x + " + kept.x", value.y + " + kept.y"}, j, stride);
    };
  }

  std::string forward;
  stages_of_rows(forward, shape, precision, shape.length[1]).forward(voxels, shared_row(shape));
  std::string columns;
  StagesText text = stages_of_columns(columns, shape, precision);
  const std::string of_kernel =
      of_kernels ? fmt::format("wide(kernel) * {} + ", literal(shape.length[0] * shape.length[1])) : "";
  SpectrumOp product = product_with_spectrum(
      text.butterfly(), fmt::format("CURSOR(spectrum, h, {}at * {}u + line);\n", of_kernel, shape.length[0]),
      shape.length[0], conjugate);
  product.loads_together = true;
  text.round_trip(shared_column(shape), product);
  std::string inverse;
  stages_of_rows(inverse, shape, precision, to.rows_per_plane).inverse(shared_row(shape), written);
  spec.body =
      group_text() +
      filled(
          pass_bodies::tile,
          {{"LENGTH", shape.length[0]},
           {"HEIGHT", shape.length[1]},
           {"PAIR", pair_text(num_tiles, 1, kernels)},
           {"NON_FINITE", isolates ? non_finite_text(fmt::format("{}u", shape.num_shared() - 1), "thread == 0u") : ""},
           {"ROWS_FORWARD", forward},
           {"COLUMNS", columns},
           {"ROWS_INVERSE", inverse}});
  return spec;
}

KernelSpec tile_forward_placed(const TileShape& shape, Precision precision, const std::array<Index, 3>& extent,
                               const std::array<Index, 3>& place, double scale, Index kernel_stride) {
  KernelSpec spec =
      tile_pass("tile_forward_placed", shape, precision, "the filter forward, put where the plan wants it, scaled");
  spec.buffers = {table_buffer(),
                  {"image", kReal, false, fmt::format("the filter's {} x {} voxels", extent[1], extent[0])},
                  {"spectrum", kReal2, true, "in the order in which the last stages leave frequencies"}};
  if (kernel_stride > 0) spec.parameters.push_back({"number", KernelSpec::Parameter::Kind::u32});
  const std::string begin = kernel_stride > 0 ? fmt::format("wide(number) * {} + ", literal(kernel_stride)) : "";
  const auto ahead = [&](std::size_t axis) { return (shape.length[axis] - place[axis]) % shape.length[axis]; };
  const MemoryView from{
      .memory = "image",
      .begin = [&](Index) { return fmt::format("uint y = (line + {}u) % {}u;\n", ahead(1), shape.length[1]); },
      .load =
          [&](const std::string& name, Index j, Index stride) {
            return zero(name) + fmt::format(
                                    "{{ uint x = (at + {}u) % {}u;\n"
                                    "if (x < {}u && y < {}u) {}.x = image[y * {}u + x] * scale; }}\n",
                                    j * stride + ahead(0), shape.length[0], extent[0], extent[1], name, extent[0]);
          },
      .store = {}};
  const MemoryView to{.memory = "spectrum",
                      .begin = [](Index) { return std::string(); },
                      .load = {},
                      .store =
                          [&](const ComplexName& value, Index j, Index stride) {
                            return fmt::format("spectrum[{}(at + {}u) * {}u + line] = to_real2({}, {});\n", begin,
                                               j * stride, shape.length[0], value.x, value.y);
                          }};
  std::string rows;
  stages_of_rows(rows, shape, precision, shape.length[1]).forward(from, shared_row(shape));
  std::string columns;
  stages_of_columns(columns, shape, precision).forward(shared_column(shape), to);
  spec.body = fmt::format("uint thread = local_x;\nreal scale = {:.17e}{};\n", scale,
                          precision == Precision::f64 ? "_d" : "f") +
              "{\nuint table_begin = rows_table;\n" + rows +
              "}\n// barrier: columns are of all rows\ngroup_barrier();\n" + "{\nuint table_begin = columns_table;\n" +
              columns + "}\n";
  return spec;
}

std::array<std::uint64_t, 3> threads_of_tiles(const TileShape& shape, Index num_tiles, Index num_kernels) {
  return threads_of_groups(num_kernels * ceil_divided(num_tiles, 2), shape.threads, 1);
}

}  // namespace convoy::kernels
