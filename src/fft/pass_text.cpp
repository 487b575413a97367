#include "fft/pass_text.hpp"

#include "fft/array_text.hpp"
#include "fft/row_text.hpp"

namespace convoy::kernels::pass_text {

std::string radices_text(const PassShape& shape) {
  return fmt::format("{} = {}: {} stages", shape.length, fmt::join(shape.radices, " * "), shape.radices.size());
}

KernelBuffer table_buffer() {
  return {"table", kReal2, false, "twiddle factors stage by stage, those of this pass from table_begin on"};
}

KernelSpec named(const char* what, const PassShape& shape, const std::string& about) {
  KernelSpec spec;
  spec.notes = {{"pass", about}, {"transform", radices_text(shape)}};
  spec.name = fmt::format("{}_{}", what, shape.length);
  spec.parameters = {{"table_begin", KernelSpec::Parameter::Kind::u32}};
  spec.programmatic_dependent_launch = true;
  return spec;
}

KernelBuffer image_buffer(const Rows& rows, bool writable) {
  if (rows.array) return array_buffer(*rows.array, writable);
  return {"image", kReal, writable,
          fmt::format("tight rows of {} voxels, {} of a plane", rows.extent, rows.rows_per_plane)};
}

KernelBuffer work_buffer(const Rows& rows, bool writable) {
  return {"work", kReal2, writable,
          fmt::format(
              "spectra of rows, in blocks of {} frequencies that are {} numbers apart; neighbouring rows are {} apart",
              rows.block, rows.block_stride, rows.work_row)};
}

void add_array_parameters(const std::optional<TileAccess>& array, KernelSpec& spec) {
  if (!array) return;
  spec.parameters.push_back({"begin_tile", KernelSpec::Parameter::Kind::u32});
  if (array->num_kernels > 1) spec.parameters.push_back({"begin_kernel", KernelSpec::Parameter::Kind::u32});
}

std::string guarded(const std::string& condition, const std::string& statement) {
  return condition.empty() ? statement : fmt::format("if ({}) {}", condition, statement);
}

Within within(Index j, Index stride, Index extent) {
  if ((j + 1) * stride <= extent) return Within::always;
  return j * stride < extent ? Within::sometimes : Within::never;
}

std::string zero(const std::string& name) { return fmt::format("real2 {} = to_real2(real(0), real(0));\n", name); }

std::string both(const std::string& a, const std::string& b) { return a.empty() || b.empty() ? a + b : a + " && " + b; }

std::string position_check(Index j, Index stride, Index extent) {
  if (within(j, stride, extent) == Within::always) return "";
  return fmt::format("at + {}u < {}u", j * stride, extent);
}

MemoryView shared_access(const std::string& first, Index spacing) {
  return {.memory = "shared",
          .begin = [first](Index) { return fmt::format("CURSOR(shared_values, s, {});\n", first); },
          .load =
              [spacing](const std::string& name, Index j, Index stride) {
                return fmt::format("real2 {} = ELEMENT(shared_values, s, {}u);\n", name, j * stride * spacing);
              },
          .store =
              [spacing](const ComplexName& value, Index j, Index stride) {
                return fmt::format("ELEMENT(shared_values, s, {}u) = to_real2({}, {});\n", j * stride * spacing,
                                   value.x, value.y);
              }};
}

}  // namespace convoy::kernels::pass_text
