// Neighbouring threads work on neighbouring columns.
#include "fft/column_text.hpp"

#include "fft/kernel_text.hpp"
#include "fft/pass_body.hpp"
#include "fft/pass_text.hpp"

namespace convoy::kernels::pass_text {
namespace {

/// Only in the first and the last stage, where at < stride, is the extent less than the length.
MemoryView column_access(const Columns& columns, const std::string& inside, Index extent, bool puts_away = false) {
  const Index apart = columns.element_stride;
  const auto condition = [inside, extent](Index j, Index stride) {
    return both(inside, position_check(j, stride, extent));
  };
  return {
      .memory = "work",
      .begin = [apart](Index) { return fmt::format("CURSOR(work, g, base + wide(at) * {});\n", literal(apart)); },
      .load =
          [=](const std::string& name, Index j, Index stride) {
            if (within(j, stride, extent) == Within::never) return zero(name);
            return zero(name) + guarded(condition(j, stride),
                                        fmt::format("{} = FETCH(work, g, {});\n", name, literal(j * stride * apart)));
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
  using Kind = KernelFan::Kind;

 public:
  explicit ColumnText(const ColumnsText& what)
      : shape_(what.shape), precision_(what.precision), columns_(what.columns), in_planes_(what.in_planes) {
    inside_ = columns_.num_columns % shape_.width == 0 ? "" : "inside";
  }

  std::string forward() {
    stages().forward(cropped(), column_access(columns_, inside_, shape_.length, in_planes_));
    return filled(pass_bodies::column, values());
  }
  std::string inverse() {
    stages().inverse(whole(), cropped());
    return filled(pass_bodies::column, values());
  }
  std::string product(bool conjugate, ProductPlace place) {
    StagesText text = stages();
    SpectrumOp change = columns_.kernel.extent > 0 ? factors_made(text.butterfly()) : factors_loaded();
    change.declare = [](Index j) { return zero(factor(j)); };
    change.apply = [&](const ComplexName& value, Index j) {
      return text.butterfly().multiply(value, {factor(j) + ".x", factor(j) + ".y"}, conjugate);
    };
    text.round_trip(place == ProductPlace::in_place ? cropped() : apart(place == ProductPlace::added), change);
    std::vector<PassValue> all = values();
    all.emplace_back("SPECTRUM_BLOCK_STRIDE", literal(columns_.spectrum_block_stride));
    all.emplace_back("PREFETCH", prefetch_spectrum());
    if (fan() == Kind::single) return filled(pass_bodies::column_product, all);
    const auto add = [&](const char* name, const auto& value) { all.emplace_back(name, value); };
    add("OUTER", columns_.num_outer);
    add("BATCH", columns_.kernels.batch);
    add("SPECTRUM_STRIDE", literal(columns_.kernels.spectrum_stride));
    if (fan() == Kind::each) return filled(pass_bodies::column_product_each, all);
    add("TILE_STRIDE", literal(columns_.tile_stride));
    add("PRODUCT_BLOCK_STRIDE", literal(columns_.kernels.product_block_stride));
    if (fan() == Kind::spread) return filled(pass_bodies::column_product_spread, all);
    add("AT_ONCE", columns_.kernels.at_once);
    return filled(pass_bodies::column_product_gathered, all);
  }

 private:
  Kind fan() const { return columns_.kernels.fan; }
  std::vector<PassValue> values() const {
    return {{"LENGTH", shape_.length},
            {"WIDTH", shape_.width},
            {"CHECK", inside_.empty() ? "" : fmt::format("bool inside = column < {}u;", columns_.num_columns)},
            {"IN_BLOCK", in_block()},
            {"TILE", tile()},
            {"BLOCK", columns_.block},
            {"BLOCK_STRIDE", literal(columns_.block_stride)},
            {"AWAIT", in_planes_ ? "" : "await_predecessor();"},
            {"STAGES", stages_}};
  }
  /// Where a column lies in its block of a tile, and where that tile lies. Outer batches are those of all tiles.
  std::string in_block() const {
    const bool several = columns_.num_tiles > 1;
    const std::string outer = !several                 ? "wide(outer)"
                              : columns_.num_outer > 1 ? fmt::format("wide(outer % {}u)", columns_.num_outer)
                                                       : "";
    const std::string column = fmt::format("wide(column % {}u)", columns_.block);
    return outer.empty() ? column : fmt::format("{} * {} + {}", outer, literal(columns_.outer_stride), column);
  }
  std::string tile() const {
    if (columns_.num_tiles == 1) return "";
    return fmt::format(" + wide(outer / {}u) * {}", columns_.num_outer, literal(columns_.tile_stride));
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
      stages_ += fmt::format("CURSOR(spectrum, h, {});\n", inside_.empty() ? "factors" : inside_ + " ? factors : 0u");
      const auto made = append_kernel_factors(stages_, butterfly, shape_, columns_.kernel, columns_.element_stride);
      for (std::size_t j = 0; j < made.size(); ++j) {
        stages_ += fmt::format("{} = to_real2({}, {});\n", factor(static_cast<Index>(j)), made[j].x, made[j].y);
      }
    };
    return change;
  }
  std::string prefetch_spectrum() const {
    if (shape_.width > columns_.block) return "";  // not one line
    return filled(pass_bodies::prefetch_spectrum,
                  {{"WIDTH", shape_.width},
                   {"EXTENT", columns_.kernel.extent > 0 ? columns_.kernel.extent : shape_.length},
                   {"GROUP_THREADS", shape_.width * shape_.threads},
                   {"ELEMENT_STRIDE", literal(columns_.element_stride)}});
  }

  StagesText stages() {
    return {stages_, shape_.radices, TransformThreads{.count = shape_.threads, .number = "local_y"}, precision_,
            shared_access(fmt::format("at * {}u + local_x", shape_.width), shape_.width)};
  }
  /// Read from work, written to or added to what lies as it does in another buffer.
  MemoryView apart(bool adds) const {
    MemoryView view = cropped();
    const Index step = columns_.element_stride;
    const char* const to = fan() == Kind::single ? "base" : "product_base";
    view.begin = [begin = view.begin, step, to](Index stride) {
      return begin(stride) + fmt::format("CURSOR(product, o, {} + wide(at) * {});\n", to, literal(step));
    };
    view.store = [this, step, adds](const ComplexName& value, Index j, Index stride) {
      if (within(j, stride, columns_.extent) == Within::never) return std::string();
      const std::string place = "product, o, " + literal(j * stride * step);
      const std::string stored =
          adds ? fmt::format("{{ real2 before = {3};\nELEMENT({0}) = to_real2({1} + before.x, {2} + before.y); }}\n",
                             place, value.x, value.y, before(place))
               : fmt::format("ELEMENT({}) = to_real2({}, {});\n", place, value.x, value.y);
      return guarded(both(inside_, position_check(j, stride, columns_.extent)), stored);
    };
    return view;
  }
  /// What the product is added to.
  std::string before(const std::string& place) const {
    const std::string there = fmt::format("FETCH({})", place);
    return fan() == Kind::single ? there
                                 : fmt::format("begin_kernel + kernel > 0u ? {} : to_real2(real(0), real(0))", there);
  }
  MemoryView cropped() const { return column_access(columns_, inside_, columns_.extent); }
  MemoryView whole() const { return column_access(columns_, inside_, shape_.length); }

  const PassShape& shape_;
  Precision precision_;
  const Columns& columns_;
  bool in_planes_;
  std::string inside_;  // the condition, if not every thread has a column
  std::string stages_;
};

}  // namespace

std::string columns_forward_text(const ColumnsText& what) { return ColumnText(what).forward(); }

std::string columns_inverse_text(const ColumnsText& what) { return ColumnText(what).inverse(); }

std::string columns_product_text(const ColumnsText& what, bool conjugate, ProductPlace place) {
  return ColumnText(what).product(conjugate, place);
}

}  // namespace convoy::kernels::pass_text
