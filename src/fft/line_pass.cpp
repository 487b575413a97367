// Lines: tiles of the only axis that is transformed, read, convolved and written in one launch (overlap-save).
#include <algorithm>

#include "fft/array_text.hpp"
#include "fft/pair_text.hpp"
#include "fft/pass_body.hpp"
#include "fft/pass_text.hpp"

namespace convoy::kernels {
namespace {

using namespace pass_text;

/// Every tile is a row, and a plane.
Rows rows_of(const TileAccess& array) {
  Rows rows;
  rows.extent = array.axes[0].count;
  rows.num_rows = array.num_tiles();
  rows.array = array;
  return rows;
}

MemoryView shared_line(const BankPadding& padding) {
  MemoryView shared = shared_access("", 1);
  shared.begin = [padding](Index) {
    return fmt::format("CURSOR(shared_values, s, own + at + at / {}u * {}u);\n", padding.period, padding.pad);
  };
  shared.load = [padding](const std::string& name, Index j, Index stride) {
    return fmt::format("real2 {} = ELEMENT(shared_values, s, {}u);\n", name, padding.place(j * stride));
  };
  shared.store = [padding](const ComplexName& value, Index j, Index stride) {
    return fmt::format("ELEMENT(shared_values, s, {}u) = to_real2({}, {});\n", padding.place(j * stride), value.x,
                       value.y);
  };
  return shared;
}

StagesText stages_of(std::string& text, const PassShape& shape, Precision precision) {
  return {text, shape.radices, TransformThreads{.count = shape.threads, .number = "local_x"}, precision,
          shared_line(shape.bank_padding)};
}

KernelSpec line_pass(const char* what, const PassShape& shape, const char* about) {
  KernelSpec spec = named(what, shape, about);
  spec.notes.emplace_back(
      "threads", fmt::format("local_x: one of {} threads of a transform; local_y: one of {} transforms", shape.threads,
                             shape.width));
  spec.workgroup = {u32(shape.threads), u32(shape.width), 1};
  spec.num_shared = static_cast<std::uint64_t>((bank_padded_length(shape) + 1) * shape.width);
  return spec;
}

}  // namespace

KernelSpec lines_product(const PassShape& shape, Precision precision, const TileAccess& image, const TileAccess& output,
                         Index num_lines, const LaunchKernels& kernels, bool conjugate) {
  KernelSpec spec = line_pass("lines_product", shape,
                              "tiles of lines forward, two at a time as real and imaginary part, times the spectrum, "
                              "inverse");
  spec.buffers = {table_buffer(),
                  {"spectrum", kReal2, false,
                   "of the filter, scaled, in the order in which the last stage leaves frequencies (digits reversed)"},
                  array_buffer(image, false),
                  array_buffer(output, true, "result")};
  spec.parameters.push_back({"begin_tile", KernelSpec::Parameter::Kind::u32});
  const bool of_kernels = kernels.fan != KernelFan::Kind::single;
  if (of_kernels) spec.parameters.push_back({"begin_kernel", KernelSpec::Parameter::Kind::u32});
  const Rows from = rows_of(image);
  const Rows to = rows_of(output);
  const bool isolates = num_lines > image.num_tiles_of_image() && !image.replaces_non_finite;
  const std::string non_finite = isolates ? "shared_values[own_non_finite]" : "";
  const ArrayText reads(from, precision, false, {.non_finite = non_finite});
  const ArrayText writes(to, precision, false, {.buffer = "result", .first = "first_out", .second = "second_out"});
  MemoryView data = reads.access();
  const MemoryView written = writes.access("");
  data.begin = [begin = data.begin, also = written.begin](Index stride) { return begin(stride) + also(stride); };
  data.store = written.store;
  if (isolates) {
    const std::string kept = shape.radices.size() > 1 ? "kept" : non_finite;  // else nothing begins between
    data.begin = [begin = data.begin, non_finite](Index stride) {
      return begin(stride) + fmt::format("real2 kept = {};\n", non_finite);
    };
    data.store = [kept, store = written.store](const ComplexName& value, Index j, Index stride) {
      return store({value.x + " + " + kept + ".x", value.y + " + " + kept + ".y"}, j, stride);
    };
  }

  std::string stages;
  StagesText text = stages_of(stages, shape, precision);
  const SpectrumOp product = product_with_spectrum(
      text.butterfly(),
      of_kernels ? fmt::format("CURSOR(spectrum, h, wide(kernel) * {} + at);\n", literal(shape.length))
                 : "CURSOR(spectrum, h, at);\n",
      1, conjugate);
  text.round_trip(data, product);
  spec.body = group_text() +
              filled(pass_bodies::line,
                     {{"LENGTH", shape.length},
                      {"PAIR", pair_text(num_lines, shape.width, kernels)},
                      {"PADDED_LENGTH", bank_padded_length(shape)},
                      {"FIRST_IMAGE", reads.where("first", name_of_tile(image, "row"))},
                      {"SECOND_IMAGE", reads.where("second", name_of_tile(image, "next"))},
                      {"FIRST_OUTPUT", writes.where("first_out", name_of_tile(output, "row"))},
                      {"SECOND_OUTPUT", writes.where("second_out", name_of_tile(output, "next"))},
                      {"NON_FINITE",
                       isolates ? non_finite_text(fmt::format("{}u + local_y", bank_padded_length(shape) * shape.width),
                                                  "local_x == 0u")
                                : ""},
                      {"STAGES", stages}});
  return spec;
}

KernelSpec line_forward_placed(const PassShape& shape, Precision precision, Index extent, Index place, double scale,
                               Index kernel_stride) {
  KernelSpec spec = line_pass("line_forward_placed", shape, "the filter forward, put where the plan wants it, scaled");
  spec.buffers = {table_buffer(),
                  {"image", kReal, false, fmt::format("the filter's {} voxels", extent)},
                  {"spectrum", kReal2, true, "in the order in which the last stage leaves frequencies"}};
  if (kernel_stride > 0) spec.parameters.push_back({"number", KernelSpec::Parameter::Kind::u32});
  const std::string begin = kernel_stride > 0 ? fmt::format("wide(number) * {} + ", literal(kernel_stride)) : "";
  const Index length = shape.length;
  const Index ahead = (length - place) % length;
  const MemoryView from{.memory = "image",
                        .begin = [](Index) { return std::string(); },
                        .load =
                            [=](const std::string& name, Index j, Index stride) {
                              return zero(name) + fmt::format(
                                                      "{{ uint voxel = (at + {}u) % {}u;\n"
                                                      "if (voxel < {}u) {}.x = image[voxel] * scale; }}\n",
                                                      j * stride + ahead, length, extent, name);
                            },
                        .store = {}};
  const MemoryView to{.memory = "spectrum",
                      .begin = [](Index) { return std::string(); },
                      .load = {},
                      .store =
                          [begin](const ComplexName& value, Index j, Index stride) {
                            return fmt::format("spectrum[{}at + {}u] = to_real2({}, {});\n", begin, j * stride, value.x,
                                               value.y);
                          }};
  std::string stages;
  StagesText text = stages_of(stages, shape, precision);
  text.forward(from, to);
  spec.body = fmt::format("uint own = local_y * {}u;\nreal scale = {:.17e}{};\n", bank_padded_length(shape), scale,
                          precision == Precision::f64 ? "_d" : "f") +
              stages;
  return spec;
}

std::array<std::uint64_t, 3> threads_of_lines(const PassShape& shape, Index num_tiles, Index num_kernels) {
  return threads_of_groups(ceil_divided(num_kernels * ceil_divided(num_tiles, 2), shape.width), shape.threads,
                           shape.width);
}

}  // namespace convoy::kernels
