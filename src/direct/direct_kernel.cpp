#include "direct/direct_kernel.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "direct/plane_products.hpp"
#include "direct/sum_shape.hpp"

namespace convoy::inline v0 {
namespace {

/// Threads of a workgroup along x and y, where there are rows enough.
constexpr Index kThreadsX = 32;
constexpr Index kThreadsY = 8;
constexpr Index kThreads = kThreadsX * kThreadsY;
/// Sums that a thread keeps in registers.
constexpr Index kSumsInRegisters = 40;
/// Planes that follow each other in a workgroup, times what the first of them costs more.
constexpr Index kLeastPlanes = 16;
constexpr Index kGroupsPerMultiprocessor = 8;

struct Shape2 {
  Index threads_x = kThreadsX;
  Index threads_y = kThreadsY;
  Index rows = 1;  ///< of outputs that a thread makes
};

/// The text of one kernel.
class Text {
 public:
  Text(const ConvolveDirect& step, const Shape2& shape)
      : step_(step),
        shape_(shape),
        products_(
            step.size, shape.rows, box_x(), [this](Index i) { return tap(i); }, !keeps_taps()) {}

  /// Rows start at an even place, so that pairs are read and written at once.
  bool has_pairs() const { return step_.extent[0] % 2 == 0; }
  bool marches() const { return step_.count[2] > 1 || step_.size[2] > 1; }
  Index tile_x() const { return 2 * shape_.threads_x; }
  Index tile_y() const { return shape_.threads_y * shape_.rows; }
  Index num_pairs() const { return plane_pairs() * (marches() ? 2 : 1) + ceil_divided(num_taps(), 2); }

  KernelSpec kernel() const {
    const auto kind = has_pairs() ? KernelBuffer::Kind::real2 : KernelBuffer::Kind::real;
    KernelSpec spec;
    spec.name = fmt::format("direct_{}x{}x{}_{}x{}x{}{}{}", nz(), ny(), nx(), shape_.threads_x, shape_.threads_y,
                            shape_.rows, marches() ? "_planes" : "", has_pairs() ? "" : "_odd");
    spec.notes = {{"pass", fmt::format("sums over {}x{}x{} taps (z, y, x), without a transform", nz(), ny(), nx())},
                  {"threads", fmt::format("each makes 2 outputs of {} rows, of plane after plane", shape_.rows)}};
    spec.buffers = {{"image", kind, false, "tight rows of extent_x voxels"},
                    {"taps", KernelBuffer::Kind::real, false, "x fastest"},
                    {"result", kind, true, "as the image; the outputs lie in its corner"}};
    for (const char* name : {"count_x", "count_y", "count_z", "extent_x", "extent_y", "groups_x", "groups_y", "planes",
                             "taps_begin", "adds"}) {
      spec.parameters.push_back({name, KernelSpec::Parameter::Kind::u32});
    }
    spec.workgroup = {static_cast<std::uint32_t>(shape_.threads_x), static_cast<std::uint32_t>(shape_.threads_y), 1};
    spec.num_shared = static_cast<std::uint64_t>(num_pairs());
    spec.body = body();
    return spec;
  }

 private:
  Index nx() const { return step_.size[0]; }
  Index ny() const { return step_.size[1]; }
  Index nz() const { return step_.size[2]; }
  Index num_taps() const { return nx() * ny() * nz(); }
  Index num_threads() const { return shape_.threads_x * shape_.threads_y; }
  /// Of the box of a plane that a workgroup reads, in pairs.
  Index box_x() const { return shape_.threads_x + nx() / 2; }
  Index box_y() const { return tile_y() + ny() - 1; }
  Index plane_pairs() const { return box_x() * box_y(); }
  Index first_tap() const { return plane_pairs() * (marches() ? 2 : 1); }
  Index loads() const { return ceil_divided(plane_pairs(), num_threads()); }
  bool keeps_taps() const { return num_taps() <= kTapsInRegisters; }
  static std::string sum(Index s, Index r, Index x) { return PlaneProducts::sum(s, r, x); }
  std::string tap(Index i) const {
    if (keeps_taps()) return fmt::format("t{}", i);
    return fmt::format("ELEMENT(shared_values, taps_here, {}u).{}", i / 2, i % 2 == 0 ? 'x' : 'y');
  }

  std::string body() const {
    return places() + offsets() + taps() + first_plane() + "group_barrier();\n" + kept_taps() + sums() + planes();
  }

  std::string places() const {
    return fmt::format(
        "uint group = group_y * {0}u + group_x;\n"
        "uint first_x = group % groups_x * {1}u;\n"
        "uint first_y = group / groups_x % groups_y * {2}u;\n"
        "uint first_z = group / groups_x / groups_y * planes;\n"
        "if (first_z >= count_z) return;\n"
        "uint last_x = extent_x - 1u;\n"
        "uint last_y = extent_y - 1u;\n"
        "uint thread = local_y * {3}u + local_x;\n",
        kGroupsAcross, tile_x(), tile_y(), shape_.threads_x);
  }

  /// Where in a plane each of the thread's pairs lies. What lies beyond the image is read for no output.
  std::string offsets() const {
    std::string text = "// places of the pairs that this thread brings into shared memory\n";
    for (Index i = 0; i < loads(); ++i) {
      text += fmt::format(
          "uint at{0} = thread + {1}u;\n"
          "uint x{0} = first_x + at{0} % {2}u * 2u;\n"
          "uint y{0} = first_y + at{0} / {2}u;\n"
          "y{0} = y{0} < last_y ? y{0} : last_y;\n",
          i, i * num_threads(), box_x());
      if (has_pairs()) {
        text += fmt::format(
            "x{0} = x{0} < last_x ? x{0} : last_x - 1u;\n"
            "x{0} = (y{0} * extent_x + x{0}) / 2u;\n",
            i);
      } else {
        text += fmt::format(
            "uint u{0} = x{0} + 1u < last_x ? x{0} + 1u : last_x;\n"
            "x{0} = x{0} < last_x ? x{0} : last_x;\n"
            "u{0} = y{0} * extent_x + u{0};\n"
            "x{0} = y{0} * extent_x + x{0};\n",
            i);
      }
    }
    return text + fmt::format("uint plane = extent_x * extent_y{};\n", has_pairs() ? " / 2u" : "");
  }

  std::string load(Index i, const std::string& z) const {
    if (has_pairs()) return fmt::format("image[{} * plane + x{}]", z, i);
    return fmt::format("to_real2(image[{0} * plane + x{1}], image[{0} * plane + u{1}])", z, i);
  }
  std::string store(Index i, const std::string& value, const std::string& buffer) const {
    const std::string statement = fmt::format("shared_values[{}at{}] = {};\n", buffer, i, value);
    if ((i + 1) * num_threads() <= plane_pairs()) return statement;
    return fmt::format("if (at{} < {}u) {}", i, plane_pairs(), statement);
  }

  std::string taps() const {
    const std::string second =
        num_taps() % 2 == 0 ? "taps[taps_begin + 2u * i + 1u]"
                            : fmt::format("2u * i + 1u < {}u ? taps[taps_begin + 2u * i + 1u] : real(0)", num_taps());
    return fmt::format(
        "for (uint i = thread; i < {}u; i += {}u) {{\n"
        "shared_values[{}u + i] = to_real2(taps[taps_begin + 2u * i], {});\n"
        "}}\n",
        ceil_divided(num_taps(), 2), num_threads(), first_tap(), second);
  }

  std::string first_plane() const {
    std::string text;
    for (Index i = 0; i < loads(); ++i) text += store(i, load(i, "first_z"), "");
    return text;
  }

  std::string kept_taps() const {
    std::string text = fmt::format("CURSOR(shared_values, taps_here, {}u);\n", first_tap());
    if (!keeps_taps()) return text;
    for (Index i = 0; i < num_taps(); ++i) {
      text += fmt::format("real t{} = ELEMENT(shared_values, taps_here, {}u).{};\n", i, i / 2, i % 2 == 0 ? 'x' : 'y');
    }
    return text;
  }

  std::string sums() const {
    return "// of each output plane that is under way, the oldest first\n" + products_.declared();
  }

  std::string planes() const {
    if (!marches()) {
      return fmt::format("CURSOR(shared_values, voxels, local_y * {}u + local_x);\n", shape_.rows * box_x()) +
             products_.products() + "uint z = 0u;\n" + outputs();
    }
    std::string text = fmt::format(
        "uint end = first_z + planes < count_z ? first_z + planes : count_z;\n"
        "end += {}u;\n"
        "uint half_begin = 0u;\n"
        "for (uint from = first_z; from < end; ++from) {{\n"
        "// the next plane is on its way while this one is summed up\n"
        "uint next = from + 1u < end ? from + 1u : from;\n",
        nz() - 1);
    for (Index i = 0; i < loads(); ++i) text += fmt::format("real2 next{} = {};\n", i, load(i, "next"));
    text += fmt::format("{{\nCURSOR(shared_values, voxels, half_begin + local_y * {}u + local_x);\n",
                        shape_.rows * box_x());
    text += products_.products();
    text += fmt::format("}}\nif (from >= first_z + {0}u) {{\nuint z = from - {0}u;\n", nz() - 1);
    text += outputs() + "}\n";
    text += products_.moved_on();
    text += fmt::format("half_begin = {}u - half_begin;\n", plane_pairs());
    for (Index i = 0; i < loads(); ++i) text += store(i, fmt::format("next{}", i), "half_begin + ");
    return text + "group_barrier();\n}\n";
  }

  /// Of plane z.
  std::string outputs() const {
    std::string text = fmt::format(
        "uint x = first_x + local_x * 2u;\n"
        "uint y = first_y + local_y * {}u;\n"
        "uint to = (z * extent_y + y) * extent_x + x;\n",
        shape_.rows);
    for (Index r = 0; r < shape_.rows; ++r) {
      const std::string row = r == 0 ? "y" : fmt::format("y + {}u", r);
      const std::string to = r == 0 ? "to" : fmt::format("(to + extent_x * {}u)", r);
      if (has_pairs()) {
        text += fmt::format(
            "if (x < count_x && {0} < count_y) {{\n"
            "if (adds != 0u) {{\n{2} += result[{1} / 2u].x;\n{3} += result[{1} / 2u].y;\n}}\n"
            "result[{1} / 2u] = to_real2({2}, {3});\n}}\n",
            row, to, sum(0, r, 0), sum(0, r, 1));
        continue;
      }
      for (Index x = 0; x < 2; ++x) {
        text += fmt::format(
            "if (x + {4}u < count_x && {0} < count_y) {{\n"
            "if (adds != 0u) {2} += result[{1} + {4}u];\n"
            "result[{1} + {4}u] = {2};\n}}\n",
            row, to, sum(0, r, x), "", x);
      }
    }
    return text;
  }

  const ConvolveDirect& step_;
  Shape2 shape_;
  PlaneProducts products_;
};

std::optional<Shape2> shape_for(const ConvolveDirect& step, const Limits& limits) {
  const Index taps = step.size[0] * step.size[1] * step.size[2];
  Shape2 shape;
  while (shape.threads_y > 1 && shape.threads_y >= 2 * step.count[1]) {
    shape.threads_y /= 2;
    shape.threads_x *= 2;
  }
  const Index most_rows = Text(step, shape).marches() ? 4 : 8;
  for (shape.rows = most_rows; shape.rows >= 1; shape.rows /= 2) {
    const Index products = 2 * shape.rows * taps;
    const bool too_many = products > kUsualProducts || 2 * shape.rows * step.size[2] > kSumsInRegisters;
    if (shape.rows > 1 && (too_many || shape.threads_y * shape.rows >= 2 * step.count[1])) continue;
    if (products > kMostProducts) return {};
    KernelSpec shared;
    shared.num_shared = static_cast<std::uint64_t>(Text(step, shape).num_pairs());
    if (shared_bytes(shared, step.precision) <= limits.shared_memory_bytes) return shape;
  }
  return {};
}

/// So many that the device is filled, and no more: the first planes of each group are read for the sums alone.
Index planes_of_group(const ConvolveDirect& step, Index groups, const Limits& limits) {
  const Index multiprocessors =
      limits.num_multiprocessors > 0 ? static_cast<Index>(limits.num_multiprocessors) : kUsualMultiprocessors;
  const Index wanted = ceil_divided(kGroupsPerMultiprocessor * multiprocessors, groups);
  const Index least = std::max(kLeastPlanes, 8 * (step.size[2] - 1));
  return std::min(step.count[2], std::max(least, step.count[2] / wanted));
}

}  // namespace

std::optional<Dispatch> tuned_direct_dispatch(const ConvolveDirect& step, const Limits& limits) {
  if (step.extent[0] < 2) return {};
  const auto shape = shape_for(step, limits);
  if (!shape) return {};
  const Text text(step, *shape);
  const Index groups_x = ceil_divided(step.count[0], text.tile_x());
  const Index groups_y = ceil_divided(step.count[1], text.tile_y());
  const Index planes = planes_of_group(step, groups_x * groups_y, limits);
  const Index groups = groups_x * groups_y * ceil_divided(step.count[2], planes);
  Dispatch dispatch;
  dispatch.kernel = text.kernel();
  dispatch.precision = step.precision;
  dispatch.slots = {step.image, step.taps, step.result};
  for (const Index one : {step.count[0], step.count[1], step.count[2], step.extent[0], step.extent[1], groups_x,
                          groups_y, planes, step.taps_begin, Index{step.adds}}) {
    dispatch.parameters.push_back(parameter(static_cast<std::uint32_t>(one)));
  }
  const Index across = std::min(groups, kGroupsAcross);
  dispatch.threads = {static_cast<std::uint64_t>(across * shape->threads_x),
                      static_cast<std::uint64_t>(ceil_divided(groups, kGroupsAcross) * shape->threads_y), 1};
  return dispatch;
}

}  // namespace convoy::inline v0
