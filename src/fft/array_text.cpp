#include "fft/array_text.hpp"

#include "fft/pass_body.hpp"
#include "fft/pass_text.hpp"

namespace convoy::kernels::pass_text {
namespace {

std::string not_finite(const std::string& value) { return fmt::format("isnan({0}) || isinf({0})", value); }

/// Tiles along the axes before d.
Index tiles_before(const TileAccess& array, std::size_t d) {
  Index tiles = 1;
  for (std::size_t axis = 0; axis < d; ++axis) tiles *= array.axes[axis].num_tiles;
  return tiles;
}

}  // namespace

std::string real_literal(double value, Precision precision) {
  if (value == 0) return "real(0)";
  return fmt::format("real({:.17e}{})", value, precision == Precision::f64 ? "_d" : "f");
}

KernelBuffer array_buffer(const TileAccess& array, bool writable, const std::string& name) {
  const auto& [x, y, z] = array.axes;
  return {name, KernelBuffer::Kind::voxel, writable,
          fmt::format("the caller's array: {} x {} x {} voxels (device order), {}, {} and {} apart", x.size, y.size,
                      z.size, x.stride, y.stride, z.stride),
          array.element};
}

ArrayText::ArrayText(const Rows& rows, Precision precision, bool in_planes, ArrayNames names)
    : rows_(rows), array_(*rows.array), precision_(precision), in_planes_(in_planes), names_(std::move(names)) {}

bool ArrayText::rows_always_shown() const {
  return axis(1).count >= rows_.rows_per_plane && axis(2).count >= rows_.planes_per_tile;
}

std::string ArrayText::fill() const { return real_literal(array_.outside, precision_); }

/// Of position `in_tile` of the tile that is shown.
std::string ArrayText::position(std::size_t d, const std::string& name, const std::string& in_tile) const {
  const ArrayAxis& along = axis(d);
  std::string text = in_tile.empty() ? "" : fmt::format("int({})", in_tile);
  const auto add = [&text](const std::string& term) { text += text.empty() ? term : " + " + term; };
  if (along.num_tiles > 1) {
    const Index before = tiles_before(array_, d);
    const std::string tile = before > 1 ? fmt::format("{}_tile / {}u", name, before) : name + "_tile";
    add(fmt::format("int({} % {}u) * {}", tile, along.num_tiles, along.step));
  }
  if (along.begin != 0 || text.empty()) add(fmt::format("({})", along.begin));
  return text;
}

std::string ArrayText::folded(std::size_t d, const std::string& at, const std::string& inside) const {
  return folded_position(axis(d), at, inside);
}

std::string folded_position(const ArrayAxis& along, const std::string& at, const std::string& inside) {
  if (along.is_inside()) return "";
  const std::string beyond = fmt::format("if ({0} < 0 || {0} >= {1}) ", at, along.size);
  switch (along.rule.kind) {
    case BoundaryRule::Kind::outside:
      return beyond + inside + " = false;";
    case BoundaryRule::Kind::clamped:
      return beyond + fmt::format("{0} = {0} < 0 ? 0 : {1};", at, along.size - 1);
    case BoundaryRule::Kind::periodic:
      break;
  }
  const Index period = along.rule.period;
  const std::string mirror =
      along.rule.mirrored ? fmt::format(" if ({0} >= {1}) {0} = {2} - {0};", at, along.size, period + along.rule.offset)
                          : "";
  return beyond +
         fmt::format("{{ {0} = {0} < 0 ? {1} - (-1 - {0}) % {2} : {0} % {2};{3} }}", at, period - 1, period, mirror);
}

/// Whether the tile shows anything in that row.
std::string ArrayText::shown(const std::string& y, const std::string& z) const {
  std::string text;
  if (axis(1).count < rows_.rows_per_plane) text = fmt::format("{} < {}u", y, axis(1).count);
  if (axis(2).count < rows_.planes_per_tile) text = both(text, fmt::format("{} < {}u", z, axis(2).count));
  return text.empty() ? "true" : text;
}

/// Statements that say which tile the row is of.
std::string ArrayText::tile(const std::string& name) const {
  const std::string in_launch = fmt::format("{}_plane / {}u", name, rows_.planes_per_tile);
  const Index last = array_.num_tiles() / array_.num_kernels - 1;
  const auto clamped = [](const std::string& number, Index highest) {
    return highest == 0 ? "0u" : fmt::format("{0} < {1}u ? {0} : {1}u", number, highest);
  };
  if (array_.num_kernels == 1) {
    return fmt::format("uint {}_tile = {};", name, clamped("begin_tile + " + in_launch, last));
  }
  return filled(pass_bodies::array_tile,
                {{"NAME", name},
                 {"IN_LAUNCH", in_launch},
                 {"TILE", clamped(fmt::format("begin_tile + {}_in_launch % {}u", name, array_.batch), last)},
                 {"KERNEL", clamped(fmt::format("begin_kernel + {}_in_launch / {}u", name, array_.batch),
                                    array_.num_kernels - 1)},
                 {"TILES_OF_IMAGE", array_.num_tiles_of_image()},
                 {"NUM_KERNELS", array_.num_kernels}});
}

std::string ArrayText::where(const std::string& name, const std::string& row) const {
  const std::string plane = !in_planes_             ? fmt::format("{} / {}u", row, rows_.rows_per_plane)
                            : name == names_.second ? names_.second_plane
                                                    : names_.first_plane;
  const std::string z =
      rows_.planes_per_tile > 1 ? fmt::format("{}_plane % {}u", name, rows_.planes_per_tile) : std::string("0u");
  const std::string y = in_planes_ ? row : fmt::format("({} % {}u)", row, rows_.rows_per_plane);
  return filled(pass_bodies::array_row, {{"NAME", name},
                                         {"PLANE", plane},
                                         {"TILE", tile(name)},
                                         {"X", position(0, name, "")},
                                         {"Y", position(1, name, y)},
                                         {"Z", position(2, name, z)},
                                         {"SHOWN", shown(y, z)},
                                         {"FOLD_Y", folded(1, name + "_y", name + "_inside")},
                                         {"FOLD_Z", folded(2, name + "_z", name + "_inside")},
                                         {"STRIDE_Y", literal(axis(1).stride)},
                                         {"STRIDE_Z", literal(axis(2).stride)},
                                         {"TILES_OF_IMAGE", array_.num_tiles_of_image()},
                                         {"IMAGE_STRIDE", literal(array_.image_stride)}});
}

std::string ArrayText::place(const std::string& row, const std::string& x) const {
  const std::string along = axis(0).stride == 1 ? x : fmt::format("{} * {}", x, literal(axis(0).stride));
  return fmt::format("{}, {}_row, {}", names_.buffer, row, along);
}

/// Statements that give `component` voxel `position` + at of the tile's row.
std::string ArrayText::load(const std::string& row, const std::string& component, Index position) const {
  const auto read = [&](const std::string& x) {
    std::string text = fmt::format("{} = to_real(LOAD_STREAMING({}));\n", component, place(row, x));
    if (array_.replaces_non_finite) text += fmt::format("if ({0}) {1} = real(0);\n", not_finite(component), component);
    return text;
  };
  const std::string x = fmt::format("{}_x + int(at) + {}", row, position);
  if (axis(0).is_inside() && rows_always_inside()) {
    const std::string text = read(fmt::format("wide({})", x));
    return rows_always_shown() ? text : fmt::format("if ({}_shown) {{\n{}}}\n", row, text);
  }
  const std::string inside = row + "_inside";
  std::string text = fmt::format("{{\nint x = {};\nbool inside = {};\n{}\nif (inside) {{\n{}}}", x, inside,
                                 folded(0, "x", "inside"), read("wide(x)"));
  text += array_.outside == 0 ? "\n}\n" : fmt::format(" else {{ {} = {}; }}\n}}\n", component, fill());
  return rows_always_shown() ? text : fmt::format("if ({}_shown) {}", row, text);
}

std::string ArrayText::store(const std::string& row, const std::string& value, Index position) const {
  std::string condition = rows_always_shown() ? "" : row + "_shown";
  if (!rows_always_inside()) condition = both(condition, row + "_inside");
  const std::string x = fmt::format("{}_x + int(at) + {}", row, position);
  if (!axis(0).is_inside()) condition = both(condition, fmt::format("{} < {}", x, axis(0).size));
  return guarded(condition,
                 fmt::format("STORE_STREAMING({}, to_voxel({}));\n", place(row, fmt::format("wide({})", x)), value));
}

/// Rare, so that a butterfly is asked once: its voxels' sum is finite only where all of them are.
std::string ArrayText::kept_apart(const std::vector<ComplexName>& values) const {
  std::string sum;
  std::string one_by_one;
  for (const ComplexName& value : values) {
    for (const std::string& real : {value.x, value.y}) {
      sum += (sum.empty() ? "" : " + ") + real;
      one_by_one += fmt::format("if ({}) {{ {}.{} = {}; {} = real(0); }}\n", not_finite(real), names_.non_finite,
                                real.back(), real, real);
    }
  }
  return fmt::format("{{\nreal sum_of_all = {};\nif ({}) {{\n{}}}\n}}\n", sum, not_finite("sum_of_all"), one_by_one);
}

MemoryView ArrayText::access(const std::string& scale) const {
  const Index extent = axis(0).count;
  const std::string times = scale.empty() ? "" : " * " + scale;
  const auto cursor = [this](const std::string& row) {
    return fmt::format("CURSOR({0}, {1}_row, {1}_image);\n", names_.buffer, row);
  };
  return {.memory = names_.buffer,
          .begin = [cursors = cursor(names_.first) + cursor(names_.second)](Index) { return cursors; },
          .load =
              [this, extent](const std::string& name, Index j, Index stride) {
                if (within(j, stride, extent) == Within::never) return zero(name);
                const Index position = j * stride;
                return zero(name) + guarded(position_check(j, stride, extent),
                                            fmt::format("{{\n{}{}}}\n", load(names_.first, name + ".x", position),
                                                        load(names_.second, name + ".y", position)));
              },
          .store =
              [this, extent, times](const ComplexName& value, Index j, Index stride) {
                if (within(j, stride, extent) == Within::never) return std::string();
                const Index position = j * stride;
                return guarded(position_check(j, stride, extent),
                               fmt::format("{{\n{}{}}}\n", store(names_.first, value.x + times, position),
                                           store(names_.second, value.y + times, position)));
              },
          .loaded = names_.non_finite.empty()
                        ? std::function<std::string(const std::vector<ComplexName>&)>()
                        : [this](const std::vector<ComplexName>& values) { return kept_apart(values); }};
}

}  // namespace convoy::kernels::pass_text
