// Neighbouring threads work on neighbouring columns.
#include <algorithm>

#include "kernels/fft_pass_text.hpp"

namespace convoy::kernels {
namespace {

using namespace pass_text;

/// Only in the first and the last stage, where at < stride, is the extent less than the length.
Access column_access(const Columns& columns, const std::string& inside, Index extent) {
  const Index apart = columns.element_stride;
  const auto condition = [inside, extent](Index j, Index stride) {
    return both(inside, position_check(j, stride, extent));
  };
  return {.memory = "work",
          .begin = [apart](Index) { return fmt::format("CURSOR(work, g, base + wide(at) * {});\n", literal(apart)); },
          .load =
              [=](const std::string& name, Index j, Index stride) {
                if (within(j, stride, extent) == Within::never) return zero(name);
                return zero(name) + guarded(condition(j, stride), fmt::format("{} = ELEMENT(work, g, {});\n", name,
                                                                              literal(j * stride * apart)));
              },
          .store =
              [=](const ComplexName& value, Index j, Index stride) {
                if (within(j, stride, extent) == Within::never) return std::string();
                return guarded(condition(j, stride), fmt::format("ELEMENT(work, g, {}) = to_real2({}, {});\n",
                                                                 literal(j * stride * apart), value.x, value.y));
              }};
}

class ColumnPass {
 public:
  ColumnPass(const char* what, const PassShape& shape, Precision precision, const Columns& columns)
      : shape_(shape), precision_(precision), columns_(columns), spec_(named(what, shape)) {
    spec_.buffers = {{"table", kReal2, false}, {"work", kReal2, true}};
    spec_.workgroup = {u32(shape.width), u32(shape.threads), 1};
    spec_.num_shared = static_cast<std::uint64_t>(shape.length * shape.width);
    inside_ = columns.num_columns % shape.width == 0 ? "" : "inside";
    // Sheets first: what neighbouring groups read lies near.
    spec_.body = fmt::format(
        "uint outer = group_x;\n"
        "uint column = group_y * {}u + local_x;\n"
        "{}"
        "wide in_block = wide(outer) * {} + wide(column % {}u);\n"
        "wide base = wide(column / {}u) * {} + in_block;\n",
        shape.width, inside_.empty() ? "" : fmt::format("bool inside = column < {}u;\n", columns.num_columns),
        literal(columns.outer_stride), columns.block, columns.block, literal(columns.block_stride));
  }

  KernelSpec forward() {
    await_predecessor();
    stages().forward(cropped(), whole());
    return std::move(spec_);
  }
  KernelSpec inverse() {
    await_predecessor();
    stages().inverse(whole(), cropped());
    return std::move(spec_);
  }
  KernelSpec product(bool conjugate) {
    spec_.buffers.insert(spec_.buffers.begin() + 1, {"spectrum", kReal2, false});
    bound_registers();
    spec_.body += fmt::format("wide factors = wide(column / {}u) * {} + in_block;\n", columns_.block,
                              literal(columns_.spectrum_block_stride));
    prefetch_spectrum();
    await_predecessor();
    StagesText text = stages();
    const auto factor = [](Index j) { return fmt::format("f{}", j); };
    Change change;
    change.loads_together = shape_.loads_together;
    const Index apart = columns_.element_stride;
    change.begin = fmt::format("CURSOR(spectrum, h, factors + wide(at) * {});\n", literal(apart));
    change.declare = [&](Index j) { return zero(factor(j)); };
    change.load = [&](Index j, Index stride) {
      return guarded(inside_, fmt::format("{} = ELEMENT(spectrum, h, {});\n", factor(j), literal(j * stride * apart)));
    };
    change.apply = [&](const ComplexName& value, Index j) {
      return text.butterfly().multiply(value, {factor(j) + ".x", factor(j) + ".y"}, conjugate);
    };
    text.round_trip(cropped(), change);
    return std::move(spec_);
  }

 private:
  /// A thread holds a butterfly and its factors: with as many registers as that takes, and no fewer, compilers load all
  /// factors at once. As few as they like, and they load one at a time.
  void bound_registers() {
    if (precision_ != Precision::f32 || !shape_.loads_together) return;
    constexpr Index kRegisters = 65536;
    constexpr Index kWarp = 32;
    const Index largest = *std::max_element(shape_.radices.begin(), shape_.radices.end());
    const Index needed = std::max(4 * shape_.radices.back() + 16, 3 * largest + 16);
    const Index threads = shape_.width * shape_.threads;
    const Index groups = kRegisters / (needed * ((threads + kWarp - 1) / kWarp * kWarp));
    spec_.resident_threads = u32(groups * threads);
  }
  void await_predecessor() { spec_.body += "await_predecessor();\n"; }
  /// The spectrum is wanted when half of the work is done: by then it shall lie in the second-level cache.
  void prefetch_spectrum() {
    if (shape_.width > columns_.block) return;  // not one line
    spec_.body += fmt::format(
        "for (uint e = local_y * {}u + local_x; e < {}u; e += {}u) {{\n"
        "PREFETCH(spectrum, factors - wide(local_x) + wide(e) * {});\n"
        "}}\n",
        shape_.width, shape_.length, shape_.width * shape_.threads, literal(columns_.element_stride));
  }

  StagesText stages() {
    return {spec_.body, shape_.radices, shape_.threads,
            precision_, "local_y",      shared_access(fmt::format("at * {}u + local_x", shape_.width), shape_.width)};
  }
  Access cropped() const { return column_access(columns_, inside_, columns_.extent); }
  Access whole() const { return column_access(columns_, inside_, shape_.length); }

  const PassShape& shape_;
  Precision precision_;
  const Columns& columns_;
  KernelSpec spec_;
  std::string inside_;  // the condition, if not every thread has a column
};

}  // namespace

KernelSpec columns_forward(const PassShape& shape, Precision precision, const Columns& columns) {
  return ColumnPass("columns_forward", shape, precision, columns).forward();
}

KernelSpec columns_inverse(const PassShape& shape, Precision precision, const Columns& columns) {
  return ColumnPass("columns_inverse", shape, precision, columns).inverse();
}

KernelSpec columns_product(const PassShape& shape, Precision precision, const Columns& columns, bool conjugate) {
  return ColumnPass("columns_product", shape, precision, columns).product(conjugate);
}

std::array<std::uint64_t, 3> threads_of(const PassShape& shape, const Columns& columns) {
  return {static_cast<std::uint64_t>(columns.num_outer * shape.width),
          ceil_divided(columns.num_columns, shape.width) * static_cast<std::uint64_t>(shape.threads), 1};
}

}  // namespace convoy::kernels
