#include "direct/array_sums.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "convoy/error.hpp"
#include "device_model/common.hpp"
#include "direct/plane_products.hpp"
#include "direct/separable_products.hpp"
#include "fft/array_text.hpp"
#include "fft/pass_text.hpp"

namespace convoy::inline v0 {
namespace {

using kernels::pass_text::folded_position;
using kernels::pass_text::literal;
using kernels::pass_text::place_along;
using kernels::pass_text::place_of_image;
using kernels::pass_text::real_literal;

/// Registers of a thread beside sums, voxels on their way and their places.
constexpr Index kOtherRegisters = 32;
constexpr Index kMostThreadsOfMultiprocessor = 2048;

/// Workgroups along the axes, and the planes that each goes through.
struct Grid {
  std::array<Index, 3> groups;
  Index planes = 1;
  Index num_images = 1;

  Index of_image() const { return groups[0] * groups[1] * groups[2]; }
  Index total() const { return of_image() * num_images; }
};

/// Threads that a multiprocessor holds of groups that march: their registers are bounded so that it does.
Index resident_threads(const SumSize& size, const SumShape& shape, Precision precision) {
  const Index loads = ceil_divided(sum_memory(size, shape).box(), shape.num_threads());
  const Index sums = 2 * shape.rows * (size.is_separable() ? size.taps[2] + 2 : size.taps[2]);
  const Index words = precision == Precision::f32 ? 1 : 2;
  const Index registers = words * (sums + 2 * loads) + 2 * loads + kOtherRegisters;
  const Index threads = std::min(kMostThreadsOfMultiprocessor, device_model::kRegistersPerMultiprocessor / registers);
  return std::max<Index>(1, threads / shape.num_threads()) * shape.num_threads();
}

/// Every workgroup reads some planes for the sums alone, and the last round of workgroups should not be a small one.
Index planes_of_group(const ArraySums& sums, Index groups, Index groups_of_multiprocessor, const Limits& limits) {
  const Index count = sums.output.axes[2].count;
  if (sums.size[2] == 1) return 1;
  if (sums.tuning.planes > 0) return std::min(count, sums.tuning.planes);
  const Index multiprocessors =
      limits.num_multiprocessors > 0 ? static_cast<Index>(limits.num_multiprocessors) : kUsualMultiprocessors;
  const Index at_once = multiprocessors * groups_of_multiprocessor;
  Index best = count;
  double least = 1e300;
  for (Index parts = 1; parts <= count; ++parts) {
    const Index planes = ceil_divided(count, parts);
    const auto rounds = static_cast<double>(ceil_divided(groups * ceil_divided(count, planes), at_once));
    const double time = rounds * static_cast<double>(planes + sums.size[2] - 1);
    if (time < 0.98 * least) {
      least = time;
      best = planes;
    }
  }
  return best;
}

class ArraySumsText {
 public:
  ArraySumsText(const ArraySums& sums, const SumSize& size, const SumShape& shape, const Grid& grid,
                bool taps_are_parameters)
      : sums_(sums),
        size_(size),
        shape_(shape),
        memory_(sum_memory(size, shape)),
        grid_(grid),
        taps_are_parameters_(taps_are_parameters),
        direct_(
            sums.size, shape.rows, memory_.box_x, [this](Index i) { return tap(i); }, !keeps_taps()),
        separable_(size, shape, [this](Index i) { return tap(i); }) {}
  ArraySumsText(const ArraySumsText&) = delete;
  ArraySumsText& operator=(const ArraySumsText&) = delete;

  KernelSpec kernel() const {
    const auto& [nx, ny, nz] = sums_.size;
    KernelSpec spec;
    spec.name = fmt::format("{}_{}x{}x{}", size_.is_separable() ? "separable_sums" : "direct_sums", nz, ny, nx);
    spec.file_name = fmt::format("{}-of_{}x{}x{}", spec.name, count(2), count(1), count(0));
    spec.notes = {
        {"pass",
         size_.is_separable()
             ? fmt::format("sums along x, y and z of {}, {} and {} taps, of {} products", nx, ny, nz, size_.num_terms)
             : fmt::format("sums over {}x{}x{} taps (z, y, x), without a transform", nz, ny, nx)},
        {"threads", fmt::format("each makes 2 outputs of {} rows, of {} plane(s)", shape_.rows, grid_.planes)},
        {"groups", fmt::format("{} x {} x {} (z, y, x) of each of {} image(s)", grid_.groups[2], grid_.groups[1],
                               grid_.groups[0], grid_.num_images)}};
    spec.buffers = {kernels::pass_text::array_buffer(sums_.image, false, "image"),
                    {"taps", KernelBuffer::Kind::real, false, "x fastest"},
                    kernels::pass_text::array_buffer(sums_.output, true, "result")};
    spec.parameters.push_back({"num_groups", KernelSpec::Parameter::Kind::u32});
    if (taps_are_parameters_) {
      for (Index i = 0; i < size_.num_taps(); ++i) {
        spec.parameters.push_back({fmt::format("t{}", i), KernelSpec::Parameter::Kind::f32});
      }
    }
    spec.workgroup = {static_cast<std::uint32_t>(shape_.threads_x), static_cast<std::uint32_t>(shape_.threads_y), 1};
    spec.num_shared = static_cast<std::uint64_t>(taps_are_parameters_ ? memory_.first_tap : memory_.total);
    if (size_.marches()) {
      spec.min_threads_per_sm = static_cast<std::uint32_t>(resident_threads(size_, shape_, sums_.precision));
    }
    spec.body = body();
    return spec;
  }

 private:
  const ArrayAxis& in(std::size_t d) const { return sums_.image.axes[d]; }
  const ArrayAxis& out(std::size_t d) const { return sums_.output.axes[d]; }
  Index count(std::size_t d) const { return out(d).count; }
  Index loads() const { return ceil_divided(memory_.box(), shape_.num_threads()); }
  bool keeps_taps() const {
    return taps_are_parameters_ || (!size_.is_separable() && size_.num_taps() <= kTapsInRegisters);
  }
  bool may_be_outside() const {
    return std::any_of(sums_.image.axes.begin(), sums_.image.axes.end(), [](const ArrayAxis& along) {
      return !along.is_inside() && along.rule.kind == BoundaryRule::Kind::outside;
    });
  }
  std::string fill() const { return real_literal(sums_.image.outside, sums_.precision); }

  std::string tap(Index i) const {
    if (keeps_taps()) return fmt::format("t{}", i);
    return fmt::format("ELEMENT(shared_values, taps_here, {}u).{}", i / 2, i % 2 == 0 ? 'x' : 'y');
  }
  std::string output(Index row, Index x) const {
    return size_.is_separable() ? SeparableProducts::output(row, x) : PlaneProducts::sum(0, row, x);
  }

  std::string body() const {
    std::string text = where() + places();
    if (!taps_are_parameters_) text += shared_taps();
    text += size_.is_separable() ? separable_.declared() : direct_.declared();
    text += fmt::format("uint end = first_z + {0}u < {1}u ? first_z + {0}u : {1}u;\nend += {2}u;\n", grid_.planes,
                        count(2), sums_.size[2] - 1);
    for (Index i = 0; i < loads(); ++i) text += fmt::format("real2 next{} = to_real2(real(0), real(0));\n", i);
    text += "uint from = first_z;\n" + loaded("from");
    if (memory_.num_boxes > 1) text += "uint half_begin = 0u;\n";
    if (!size_.marches()) return text + stored() + "group_barrier();\n" + kept_taps() + products() + outputs("first_z");
    text += "for (; from < end; ++from) {\n" + stored() + "group_barrier();\n" + kept_taps() +
            "// the next plane is on its way while this one is summed up\n" +
            "{\nuint after = from + 1u < end ? from + 1u : from;\n" + loaded("after") + "}\n" + products();
    text += fmt::format("if (from >= first_z + {0}u) {{\n{1}}}\n", sums_.size[2] - 1,
                        outputs(fmt::format("(from - {}u)", sums_.size[2] - 1)));
    if (!size_.is_separable()) text += direct_.moved_on();
    if (memory_.num_boxes > 1) text += fmt::format("half_begin = {}u - half_begin;\n", memory_.box());
    return text + "}\n";
  }

  std::string where() const {
    const auto& [groups_x, groups_y, groups_z] = grid_.groups;
    const std::string image = fmt::format("group / {}u", grid_.of_image());
    return fmt::format(
        "uint group = group_y * {0}u + group_x;\n"
        "if (group >= num_groups) return;\n"
        "uint first_x = group % {1}u * {2}u;\n"
        "uint first_y = group / {1}u % {3}u * {4}u;\n"
        "uint first_z = group / {5}u % {6}u * {7}u;\n"
        "wide from_image = {8};\n"
        "wide to_image = {9};\n"
        "uint thread = local_y * {10}u + local_x;\n",
        kGroupsAcross, groups_x, shape_.tile_x(), groups_y, shape_.tile_y(), groups_x * groups_y, groups_z,
        grid_.planes, place_of_image(sums_.image, image), place_of_image(sums_.output, image), shape_.threads_x);
  }

  /// Statements that make a position of what the outputs read one of the array.
  std::string in_array(std::size_t d, const std::string& at, const std::string& inside) const {
    const std::string begin = in(d).begin == 0 ? "" : fmt::format("{} += ({});\n", at, in(d).begin);
    return begin + folded_position(in(d), at, inside) + "\n";
  }

  /// Where in a plane each of the thread's pairs lies. What no output reads is taken to be what the last ones read.
  std::string places() const {
    std::string text = "// places of the pairs that this thread brings into shared memory\n";
    const Index last_x = in(0).count - 1;
    const Index last_y = in(1).count - 1;
    const auto place = [&](Index i, const char* x) {
      const std::string to = fmt::format("{}{}", x, i);
      const std::string voxel = fmt::format("uint({} + {})", place_along(in(1), "y"), place_along(in(0), x));
      return may_be_outside() ? fmt::format("p{} = inside_{} ? {} : 4294967295u;\n", to, x, voxel)
                              : fmt::format("p{} = {};\n", to, voxel);
    };
    for (Index i = 0; i < loads(); ++i) {
      text += fmt::format(
          "uint at{0} = thread + {1}u;\n"
          "uint px{0}, pu{0};\n"
          "{{\n"
          "int x = int(first_x + at{0} % {2}u * 2u);\n"
          "int y = int(first_y + at{0} / {2}u);\n"
          "x = x < {3} ? x : {3};\n"
          "y = y < {4} ? y : {4};\n"
          "int u = x < {3} ? x + 1 : x;\n",
          i, i * shape_.num_threads(), memory_.box_x, last_x, last_y);
      if (may_be_outside()) text += "bool inside_x = true;\n";
      text += in_array(1, "y", "inside_x");
      if (may_be_outside()) text += "bool inside_u = inside_x;\n";
      text += in_array(0, "x", "inside_x") + in_array(0, "u", "inside_u") + place(i, "x") + place(i, "u") + "}\n";
    }
    return text;
  }

  std::string voxel(const std::string& to, const std::string& place) const {
    std::string text = fmt::format("{} = to_real(LOAD_KEPT(image, plane, {}));\n", to, place);
    if (sums_.image.replaces_non_finite) text += fmt::format("if (isnan({0}) || isinf({0})) {0} = real(0);\n", to);
    if (!may_be_outside()) return text;
    return fmt::format("if ({} != 4294967295u) {{\n{}}} else {{ {} = {}; }}\n", place, text, to, fill());
  }
  /// Of a plane, counted as the outputs read them, into next0, next1 ...
  std::string loaded(const std::string& plane) const {
    std::string text = fmt::format("{{\nint z = int({});\n", plane);
    const bool guards = !in(2).is_inside() && in(2).rule.kind == BoundaryRule::Kind::outside;
    if (guards) text += "bool inside_z = true;\n";
    text += in_array(2, "z", "inside_z");
    std::string voxels =
        fmt::format("CURSOR(image, plane, from_image + {});\nKEEP_CURSOR(plane);\n", place_along(in(2), "z"));
    std::string outside;
    for (Index i = 0; i < loads(); ++i) {
      voxels += voxel(fmt::format("next{}.x", i), fmt::format("px{}", i)) +
                voxel(fmt::format("next{}.y", i), fmt::format("pu{}", i));
      outside += fmt::format("next{0} = to_real2({1}, {1});\n", i, fill());
    }
    if (guards) voxels = fmt::format("if (inside_z) {{\n{}}} else {{\n{}}}\n", voxels, outside);
    return text + voxels + "}\n";
  }
  std::string stored() const {
    std::string text;
    for (Index i = 0; i < loads(); ++i) {
      const std::string statement =
          fmt::format("shared_values[{}at{}] = next{};\n", memory_.num_boxes > 1 ? "half_begin + " : "", i, i);
      const bool all = (i + 1) * shape_.num_threads() <= memory_.box();
      text += all ? statement : fmt::format("if (at{} < {}u) {}", i, memory_.box(), statement);
    }
    return text;
  }

  std::string shared_taps() const {
    const Index taps = size_.num_taps();
    const std::string second =
        taps % 2 == 0 ? "taps[2u * i + 1u]" : fmt::format("2u * i + 1u < {}u ? taps[2u * i + 1u] : real(0)", taps);
    return fmt::format(
        "for (uint i = thread; i < {}u; i += {}u) {{\n"
        "shared_values[{}u + i] = to_real2(taps[2u * i], {});\n"
        "}}\n"
        "CURSOR(shared_values, taps_here, {}u);\n",
        ceil_divided(taps, 2), shape_.num_threads(), memory_.first_tap, second, memory_.first_tap);
  }
  /// Behind a barrier.
  std::string kept_taps() const {
    std::string text;
    for (Index i = 0; keeps_taps() && !taps_are_parameters_ && i < size_.num_taps(); ++i) {
      text += fmt::format("real t{} = ELEMENT(shared_values, taps_here, {}u).{};\n", i, i / 2, i % 2 == 0 ? 'x' : 'y');
    }
    return text;
  }

  std::string products() const {
    const std::string box = memory_.num_boxes > 1 ? "half_begin" : "0u";
    if (size_.is_separable()) return separable_.products(box);
    return fmt::format("{{\nCURSOR(shared_values, voxels, {} + local_y * {}u + local_x);\n{}}}\n", box,
                       shape_.rows * memory_.box_x, direct_.products());
  }

  /// Whether two outputs are one access: where rows, planes and images begin at even places.
  bool has_pairs() const {
    const Element real = sums_.precision == Precision::f32 ? Element::f32 : Element::f64;
    const auto& [x, y, z] = sums_.output.axes;
    const auto even = [](const ArrayAxis& along) { return along.count == 1 || along.stride % 2 == 0; };
    return sums_.output.element == real && x.stride == 1 && !is_reversed() && even(y) && even(z) &&
           (sums_.output.num_images == 1 || sums_.output.image_stride % 2 == 0);
  }
  bool is_reversed() const {
    const auto& axes = sums_.output.axes;
    return std::any_of(axes.begin(), axes.end(), [](const ArrayAxis& along) { return along.reversed; });
  }
  std::string outputs(const std::string& plane) const {
    std::string text = fmt::format(
        "{{\n"
        "uint x = first_x + local_x * 2u;\n"
        "uint y = first_y + local_y * {}u;\n"
        "CURSOR(result, to, to_image + {});\n",
        shape_.rows,
        is_reversed() ? "wide(0u)"
                      : fmt::format("{} + {} + {}", place_along(out(2), plane), place_along(out(1), "y"),
                                    place_along(out(0), "x")));
    const auto store = [&](Index r, Index x) {
      if (is_reversed()) {
        return fmt::format("ELEMENT(result, to, {} + {} + {}) = to_voxel({});\n",
                           place_along(out(2), fmt::format("int({})", plane)),
                           place_along(out(1), fmt::format("(int(y) + {})", r)),
                           place_along(out(0), fmt::format("(int(x) + {})", x)), output(r, x));
      }
      return fmt::format("ELEMENT(result, to, {}) = to_voxel({});\n", literal(r * out(1).stride + x * out(0).stride),
                         output(r, x));
    };
    for (Index r = 0; r < shape_.rows; ++r) {
      std::string row =
          fmt::format("if (x < {}u) {}if (x + 1u < {}u) {}", count(0), store(r, 0), count(0), store(r, 1));
      if (has_pairs()) {
        row = fmt::format(
            "if (x + 1u < {}u && IS_PAIR_ALIGNED(result)) {{ STORE_PAIR(result, to, {}, {}, {}); }} else {{\n{}}}\n",
            count(0), literal(r * out(1).stride), output(r, 0), output(r, 1), row);
      }
      text += fmt::format("if (y + {}u < {}u) {{\n{}}}\n", r, count(1), row);
    }
    return text + "}\n";
  }

  const ArraySums& sums_;
  SumSize size_;
  SumShape shape_;
  SumMemory memory_;
  Grid grid_;
  bool taps_are_parameters_;
  PlaneProducts direct_;
  SeparableProducts separable_;
};

}  // namespace

Dispatch array_sums(const ArraySums& sums, const Limits& limits) {
  const SumSize size{sums.size, sums.num_terms, sums.precision};
  const auto& [x, y, z] = sums.output.axes;
  const auto found = sum_shape(size, {x.count, y.count, z.count}, limits, sums.tuning);
  if (!found) {
    throw Error(
        Errc::invalid_argument,
        fmt::format("SumTuning of {} threads along y, {} rows and runs of {} is impossible for {}x{}x{} taps "
                    "(z, y, x) on this device: take fewer, runs that divide a row of 64, or 0 for convoy's choice",
                    sums.tuning.threads_y, sums.tuning.rows, sums.tuning.run, sums.size[2], sums.size[1],
                    sums.size[0]));
  }
  const SumShape& shape = *found;
  Grid grid{.groups = {ceil_divided(x.count, shape.tile_x()), ceil_divided(y.count, shape.tile_y()), 1},
            .planes = 1,
            .num_images = sums.output.num_images};
  grid.planes =
      planes_of_group(sums, grid.total(), resident_threads(size, shape, sums.precision) / shape.num_threads(), limits);
  grid.groups[2] = ceil_divided(z.count, grid.planes);
  const bool parameters = static_cast<Index>(sums.taps.size()) == size.num_taps() &&
                          size.num_taps() < static_cast<Index>(limits.max_kernel_parameters);

  Dispatch dispatch;
  dispatch.kernel = ArraySumsText(sums, size, shape, grid, parameters).kernel();
  dispatch.precision = sums.precision;
  dispatch.slots = {sums.image_slot, sums.taps_slot, sums.output_slot};
  dispatch.parameters = {parameter(static_cast<std::uint32_t>(grid.total()))};
  for (Index i = 0; parameters && i < size.num_taps(); ++i) {
    dispatch.parameters.push_back(parameter(sums.taps[static_cast<std::size_t>(i)]));
  }
  const Index across = std::min(grid.total(), kGroupsAcross);
  dispatch.threads = {static_cast<std::uint64_t>(across * shape.threads_x),
                      static_cast<std::uint64_t>(ceil_divided(grid.total(), kGroupsAcross) * shape.threads_y), 1};
  return dispatch;
}

}  // namespace convoy::inline v0
