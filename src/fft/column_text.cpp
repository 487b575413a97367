// Neighbouring threads work on neighbouring columns.
#include "fft/column_text.hpp"

#include "fft/kernel_text.hpp"
#include "fft/pass_text.hpp"

namespace convoy::kernels::pass_text {
namespace {

/// Only in the first and the last stage, where at < stride, is the extent less than the length.
MemoryView column_access(const Columns& columns, const std::string& inside, Index extent, bool puts_away = false) {
  const Index apart = columns.element_stride;
  const auto condition = [inside, extent](Index j, Index stride) {
    return both(inside, position_check(j, stride, extent));
  };
  return {.memory = "work",
          .begin = [apart](Index) { return fmt::format("CURSOR(work, g, base + wide(at) * {});\n", literal(apart)); },
          .load =
              [=](const std::string& name, Index j, Index stride) {
                if (within(j, stride, extent) == Within::never) return zero(name);
                return zero(name) + guarded(condition(j, stride), fmt::format("{} = FETCH(work, g, {});\n", name,
                                                                              literal(j * stride * apart)));
              },
          .store =
              [=](const ComplexName& value, Index j, Index stride) {
                if (within(j, stride, extent) == Within::never) return std::string();
                const std::string place = "work, g, " + literal(j * stride * apart);
                const std::string number = fmt::format("to_real2({}, {})", value.x, value.y);
                return guarded(condition(j, stride), puts_away ? fmt::format("STORE_STREAMING({}, {});\n", place, number)
                                                               : fmt::format("ELEMENT({}) = {};\n", place, number));
              }};
}

class ColumnText {
 public:
  ColumnText(std::string& body, const ColumnsText& what)
      : body_(body),
        shape_(what.shape),
        precision_(what.precision),
        columns_(what.columns),
        in_planes_(what.in_planes) {
    inside_ = columns_.num_columns % shape_.width == 0 ? "" : "inside";
    body_ += fmt::format(
        "uint column = group * {}u + local_x;\n"
        "{}"
        "wide in_block = wide(outer) * {} + wide(column % {}u);\n"
        "wide base = wide(column / {}u) * {} + in_block;\n",
        shape_.width, inside_.empty() ? "" : fmt::format("bool inside = column < {}u;\n", columns_.num_columns),
        literal(columns_.outer_stride), columns_.block, columns_.block, literal(columns_.block_stride));
  }

  void forward() {
    await_predecessor();
    stages().forward(cropped(), column_access(columns_, inside_, shape_.length, in_planes_));
  }
  void inverse() {
    await_predecessor();
    stages().inverse(whole(), cropped());
  }
  void product(bool conjugate) {
    body_ += fmt::format("wide factors = wide(column / {}u) * {} + in_block;\n", columns_.block,
                         literal(columns_.spectrum_block_stride));
    prefetch_spectrum();
    await_predecessor();
    StagesText text = stages();
    SpectrumOp change = columns_.kernel.extent > 0 ? factors_made(text.butterfly()) : factors_loaded();
    change.declare = [](Index j) { return zero(factor(j)); };
    change.apply = [&](const ComplexName& value, Index j) {
      return text.butterfly().multiply(value, {factor(j) + ".x", factor(j) + ".y"}, conjugate);
    };
    text.round_trip(cropped(), change);
  }

 private:
  void await_predecessor() {
    if (!in_planes_) body_ += "await_predecessor();\n";
  }
  static std::string factor(Index j) { return fmt::format("f{}", j); }
  SpectrumOp factors_loaded() const {
    const Index apart = columns_.element_stride;
    SpectrumOp change;
    change.loads_together = shape_.loads_together;
    change.begin = fmt::format("CURSOR(spectrum, h, factors + wide(at) * {});\n", literal(apart));
    change.load = [this, apart](Index j, Index stride) {
      return guarded(inside_, fmt::format("{} = ELEMENT(spectrum, h, {});\n", factor(j), literal(j * stride * apart)));
    };
    return change;
  }
  /// From the kernel's column, which every butterfly needs as a whole: never one by one.
  SpectrumOp factors_made(ButterflyText& butterfly) {
    SpectrumOp change;
    change.loads_together = true;
    change.make_all = [this, &butterfly] {
      body_ += fmt::format("CURSOR(spectrum, h, {});\n", inside_.empty() ? "factors" : inside_ + " ? factors : 0u");
      const auto made = append_kernel_factors(body_, butterfly, shape_, columns_.kernel, columns_.element_stride);
      for (std::size_t j = 0; j < made.size(); ++j) {
        body_ += fmt::format("{} = to_real2({}, {});\n", factor(static_cast<Index>(j)), made[j].x, made[j].y);
      }
    };
    return change;
  }
  /// The spectrum is wanted when half of the work is done: by then it shall lie in the second-level cache.
  void prefetch_spectrum() {
    if (shape_.width > columns_.block) return;  // not one line
    body_ += fmt::format(
        "for (uint e = local_y * {}u + local_x; e < {}u; e += {}u) {{\n"
        "PREFETCH(spectrum, factors - wide(local_x) + wide(e) * {});\n"
        "}}\n",
        shape_.width, columns_.kernel.extent > 0 ? columns_.kernel.extent : shape_.length,
        shape_.width * shape_.threads, literal(columns_.element_stride));
  }

  StagesText stages() {
    return {body_, shape_.radices, TransformThreads{.count = shape_.threads, .number = "local_y"}, precision_,
            shared_access(fmt::format("at * {}u + local_x", shape_.width), shape_.width)};
  }
  MemoryView cropped() const { return column_access(columns_, inside_, columns_.extent); }
  MemoryView whole() const { return column_access(columns_, inside_, shape_.length); }

  std::string& body_;
  const PassShape& shape_;
  Precision precision_;
  const Columns& columns_;
  bool in_planes_;
  std::string inside_;  // the condition, if not every thread has a column
};

}  // namespace

void append_columns_forward(std::string& body, const ColumnsText& what) { ColumnText(body, what).forward(); }

void append_columns_inverse(std::string& body, const ColumnsText& what) { ColumnText(body, what).inverse(); }

void append_columns_product(std::string& body, const ColumnsText& what, bool conjugate) {
  ColumnText(body, what).product(conjugate);
}

}  // namespace convoy::kernels::pass_text
