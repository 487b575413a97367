#include <algorithm>

#include "device_model/common.hpp"
#include "fft/column_text.hpp"
#include "fft/pass_text.hpp"

namespace convoy::kernels {
namespace {

using namespace pass_text;

KernelSpec column_pass(const char* what, const PassShape& shape, const Columns& columns, const char* about) {
  KernelSpec spec = named(what, shape, about);
  spec.notes.emplace_back(
      "threads", fmt::format("local_x: one of {} neighbouring columns; local_y: one of {} threads of each", shape.width,
                             shape.threads));
  spec.buffers = {table_buffer(),
                  {"work", kReal2, true,
                   fmt::format("columns side by side in blocks of {}, {} elements of each, {} apart", columns.block,
                               columns.extent, columns.element_stride)}};
  spec.workgroup = {u32(shape.width), u32(shape.threads), 1};
  spec.num_shared = static_cast<std::uint64_t>(shape.length * shape.width);
  // Batches first: what neighbouring groups read lies near.
  spec.body = "uint outer = group_x;\nuint group = group_y;\n";
  return spec;
}

/// A thread holds a butterfly and its factors: with as many registers as that takes, and no fewer, compilers load all
/// factors at once. As few as they like, and they load one at a time. Factors that it makes itself it need not load.
std::uint32_t threads_with_factors(const PassShape& shape, bool makes_factors) {
  using device_model::kWarp;
  const Index largest = *std::max_element(shape.radices.begin(), shape.radices.end());
  const Index needed = makes_factors ? std::max(4 * shape.radices.back() + 12, 2 * largest + 20)
                                     : std::max(4 * shape.radices.back() + 16, 3 * largest + 16);
  const Index threads = shape.width * shape.threads;
  const Index groups = device_model::kRegistersPerMultiprocessor / (needed * ((threads + kWarp - 1) / kWarp * kWarp));
  return u32(groups * threads);
}

}  // namespace

KernelSpec columns_forward(const PassShape& shape, Precision precision, const Columns& columns) {
  KernelSpec spec = column_pass("columns_forward", shape, columns,
                                "columns forward: an element beyond the tile is taken as 0 while columns are read");
  spec.body += columns_forward_text({shape, precision, columns});
  return spec;
}

KernelSpec columns_inverse(const PassShape& shape, Precision precision, const Columns& columns) {
  KernelSpec spec =
      column_pass("columns_inverse", shape, columns, "columns inverse: what lies beyond the tile is not written");
  spec.body += columns_inverse_text({shape, precision, columns});
  return spec;
}

namespace {

KernelSpec product_pass(const char* what, const PassShape& shape, Precision precision, const Columns& columns,
                        bool conjugate, ProductPlace place) {
  KernelSpec spec =
      column_pass(what, shape, columns, "columns forward, times the spectrum, inverse, without leaving the workgroup");
  spec.buffers.insert(
      spec.buffers.begin() + 1,
      {"spectrum", kReal2, false,
       columns.kernel.extent > 0
           ? fmt::format("of the filter, {} elements a column, which are transformed here", columns.kernel.extent)
           : "of the filter, in the order in which the last stage leaves frequencies (digits reversed)"});
  if (place != ProductPlace::in_place) {
    spec.buffers.back().writable = false;
    spec.buffers.push_back(
        {"product", kReal2, true,
         place == ProductPlace::added ? "as work; the product is added to what is there" : "as work"});
  }
  if (precision == Precision::f32 && shape.loads_together) {
    spec.min_threads_per_sm = threads_with_factors(shape, columns.kernel.extent > 0);
  }
  spec.body += columns_product_text({shape, precision, columns}, conjugate, place);
  return spec;
}

}  // namespace

KernelSpec columns_product(const PassShape& shape, Precision precision, const Columns& columns, bool conjugate) {
  return product_pass("columns_product", shape, precision, columns, conjugate, ProductPlace::in_place);
}

KernelSpec columns_product_apart(const PassShape& shape, Precision precision, const Columns& columns, bool conjugate,
                                 bool adds) {
  return product_pass(adds ? "columns_product_added" : "columns_product_apart", shape, precision, columns, conjugate,
                      adds ? ProductPlace::added : ProductPlace::apart);
}

KernelSpec columns_product_of_kernels(const PassShape& shape, Precision precision, const Columns& columns,
                                      bool conjugate) {
  using Kind = KernelFan::Kind;
  const bool gathers = columns.kernels.fan == Kind::gather;
  const bool each = columns.kernels.fan == Kind::each;
  KernelSpec spec = product_pass(each      ? "columns_product_each"
                                 : gathers ? "columns_product_gathered"
                                           : "columns_product_spread",
                                 shape, precision, columns, conjugate,
                                 each      ? ProductPlace::in_place
                                 : gathers ? ProductPlace::added
                                           : ProductPlace::apart);
  for (const char* parameter : {"begin_kernel", "kernels_left"}) {
    spec.parameters.push_back({parameter, KernelSpec::Parameter::Kind::u32});
  }
  return spec;
}

std::array<std::uint64_t, 3> threads_of(const PassShape& shape, const Columns& columns) {
  return {static_cast<std::uint64_t>(columns.num_outer * columns.num_tiles * shape.width),
          static_cast<std::uint64_t>(ceil_divided(columns.num_columns, shape.width) * shape.threads), 1};
}

}  // namespace convoy::kernels
