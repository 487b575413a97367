#include <algorithm>

#include "device_model/common.hpp"
#include "fft/pass_text.hpp"
#include "fft/row_text.hpp"

namespace convoy::kernels {
namespace {

using namespace pass_text;

/// Workgroups along one axis of a launch, at most; more go to the next axis.
constexpr std::uint32_t kGroupsAcross = 32768;

KernelSpec row_pass(const char* what, const PassShape& shape, Precision precision, const Rows& rows, bool writes_image,
                    const char* about) {
  KernelSpec spec = named(what, shape, about);
  spec.notes.emplace_back(
      "threads", fmt::format("local_x: one of {} threads of a pair of rows; local_y: one of {} pairs", shape.threads,
                             shape.width));
  spec.buffers = {table_buffer(), image_buffer(rows, writes_image), work_buffer(rows, !writes_image)};
  add_array_parameters(rows.array, spec);
  spec.workgroup = {u32(shape.threads), u32(shape.width), 1};
  spec.num_shared = static_cast<std::uint64_t>(bank_padded_length(shape) * shape.width);
  if (precision == Precision::f32) spec.min_threads_per_sm = device_model::kMinRowThreadsPerSm;
  spec.body = fmt::format("uint group = group_y * {}u + group_x;\n", kGroupsAcross);
  return spec;
}

}  // namespace

KernelSpec rows_forward(const PassShape& shape, Precision precision, const Rows& rows) {
  KernelSpec spec =
      row_pass("rows_forward", shape, precision, rows, false,
               "rows forward, two at a time as real and imaginary part; reals beyond the tile are taken as 0");
  spec.body += rows_forward_text({.shape = shape, .precision = precision, .rows = rows});
  return spec;
}

KernelSpec rows_forward_placed(const PassShape& shape, Precision precision, const Rows& rows, const Placement& place) {
  KernelSpec spec = row_pass("rows_forward_placed", shape, precision, rows, false,
                             "rows of the filter forward, two at a time, put where the plan wants them");
  if (place.kernel_stride > 0) spec.parameters.push_back({"number", KernelSpec::Parameter::Kind::u32});
  spec.body += rows_forward_text({.shape = shape, .precision = precision, .rows = rows, .place = place});
  return spec;
}

KernelSpec rows_inverse(const PassShape& shape, Precision precision, const Rows& rows, double scale) {
  KernelSpec spec = row_pass("rows_inverse", shape, precision, rows, true,
                             "rows inverse, two at a time; reals beyond the tile are not written");
  spec.body += rows_inverse_text({.shape = shape, .precision = precision, .rows = rows}, scale);
  return spec;
}

std::array<std::uint64_t, 3> threads_of(const PassShape& shape, const Rows& rows) {
  const Index groups = ceil_divided(rows.num_rows, 2 * shape.width);
  const Index across = std::min<Index>(groups, kGroupsAcross);
  return {static_cast<std::uint64_t>(across * shape.threads),
          static_cast<std::uint64_t>(ceil_divided(groups, kGroupsAcross) * shape.width), 1};
}

}  // namespace convoy::kernels
