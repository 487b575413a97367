#include "direct/separable_products.hpp"

#include <fmt/format.h>

namespace convoy::inline v0 {
namespace {

constexpr const char* kParts = "xy";

std::string sum_name(Index plane, Index row, Index x) { return fmt::format("s{}_{}_{}", plane, row, x); }

}  // namespace

std::string SeparableProducts::output(Index row, Index x) { return fmt::format("b{}.{}", row, kParts[x]); }

std::string SeparableProducts::tap(int term, int axis, Index t) const {
  Index place = term * (nx() + ny() + nz()) + t;
  for (int before = 0; before < axis; ++before) place += size_.taps[static_cast<std::size_t>(before)];
  return tap_(place);
}

std::string SeparableProducts::declared() const {
  std::string text = places_of_rows();
  for (Index plane = 0; plane + 1 < nz(); ++plane) {
    for (Index row = 0; row < shape_.rows; ++row) {
      for (Index x = 0; x < 2; ++x) text += fmt::format("real {} = real(0);\n", sum_name(plane, row, x));
    }
  }
  return text;
}

/// Neighbouring threads take the same run of neighbouring rows, whose banks differ.
std::string SeparableProducts::places_of_rows() const {
  if (memory_.middle_x == 0) return "";
  std::string text;
  for (Index i = 0; i < runs_of_thread(); ++i) {
    text += fmt::format(
        "uint row{0} = (thread + {1}u) % {2}u;\n"
        "uint run{0} = (thread + {1}u) / {2}u * {3}u;\n"
        "uint reads{0} = row{0} * {4}u + run{0};\n"
        "uint sums{0} = {5}u + row{0} * {6}u + run{0};\n",
        i, i * shape_.num_threads(), memory_.box_y, shape_.run / 2, memory_.box_x, memory_.first_middle(),
        memory_.middle_x);
  }
  return text;
}

std::string SeparableProducts::rows(int term) const {
  std::string text = "// along x\n";
  for (Index i = 0; i < runs_of_thread(); ++i) {
    const bool all = (i + 1) * shape_.num_threads() <= num_runs();
    text += (all ? "{\n" : fmt::format("if (thread < {}u) {{\n", num_runs() - i * shape_.num_threads())) +
            run_of_row(term, i) + "}\n";
  }
  return text + "group_barrier();\n";
}

std::string SeparableProducts::run_of_row(int term, Index number) const {
  const Index run = shape_.run;
  std::string text = fmt::format(
      "CURSOR(shared_values, voxels, reads{0});\n"
      "CURSOR(shared_values, middle, sums{0});\n",
      number);
  for (Index k = 0; k < run; ++k) text += fmt::format("real a{} = real(0);\n", k);
  for (Index pair = 0; pair < (run + nx()) / 2; ++pair) {
    text += fmt::format("{{\nreal2 v = ELEMENT(shared_values, voxels, {}u);\n", pair);
    for (Index i = 2 * pair; i < 2 * pair + 2; ++i) {
      for (Index k = 0; k < run; ++k) {
        const Index t = nx() - 1 - i + k;
        if (t >= 0 && t < nx()) text += fmt::format("a{} += {} * v.{};\n", k, tap(term, 0, t), kParts[i % 2]);
      }
    }
    text += "}\n";
  }
  for (Index k = 0; k < run; k += 2) {
    text += fmt::format("ELEMENT(shared_values, middle, {}u) = to_real2(a{}, a{});\n", k / 2, k, k + 1);
  }
  return text;
}

std::string SeparableProducts::columns(int term, const std::string& box) const {
  const bool has_middle = memory_.middle_x > 0;
  const Index pitch = has_middle ? memory_.middle_x : memory_.box_x;
  std::string text = fmt::format(
      "// along y\n"
      "CURSOR(shared_values, column, {} + local_y * {}u + local_x);\n",
      has_middle ? fmt::format("{}u", memory_.first_middle()) : box, shape_.rows * pitch);
  for (Index row = 0; row < shape_.rows + ny() - 1; ++row) {
    text += fmt::format("{{\nreal2 v = ELEMENT(shared_values, column, {}u);\n", row * pitch);
    for (Index r = 0; r < shape_.rows; ++r) {
      const Index t = ny() - 1 - (row - r);
      if (t < 0 || t >= ny()) continue;
      for (Index x = 0; x < 2; ++x) {
        std::string product = fmt::format("v.{}", kParts[x]);
        if (ny() > 1) product = fmt::format("{} * {}", tap(term, 1, t), product);
        if (size_.taps == std::array<Index, 3>{1, 1, 1}) product = fmt::format("{} * {}", tap(term, 0, 0), product);
        text += fmt::format("c{}.{} += {};\n", r, kParts[x], product);
      }
    }
    text += "}\n";
  }
  return text;
}

/// The first product moves the sums on: what is added to the sum of a plane is the sum of the one before it from then
/// on.
std::string SeparableProducts::planes(int term) const {
  std::string text = "// along z\n";
  for (Index r = 0; r < shape_.rows; ++r) {
    for (Index x = 0; x < 2; ++x) {
      const std::string voxel = fmt::format("c{}.{}", r, kParts[x]);
      const auto value = [&](Index s, const std::string& before) {
        return fmt::format("{} + {} * {}", before, tap(term, 2, s), voxel);
      };
      const bool moves = term == 0;
      text += fmt::format("{} = {};\n", output(r, x), value(0, moves ? sum_name(0, r, x) : output(r, x)));
      for (Index s = 0; s + 1 < nz(); ++s) {
        const std::string before = !moves ? sum_name(s, r, x) : s + 2 < nz() ? sum_name(s + 1, r, x) : "";
        text += before.empty() ? fmt::format("{} = {} * {};\n", sum_name(s, r, x), tap(term, 2, s + 1), voxel)
                               : fmt::format("{} = {};\n", sum_name(s, r, x), value(s + 1, before));
      }
    }
  }
  return text;
}

std::string SeparableProducts::products(const std::string& box) const {
  const bool has_middle = memory_.middle_x > 0;
  const bool marches = nz() > 1;
  std::string text;
  for (Index r = 0; r < shape_.rows; ++r) text += fmt::format("real2 b{} = to_real2(real(0), real(0));\n", r);
  for (int term = 0; term < size_.num_terms; ++term) {
    if (has_middle) text += (term > 0 ? "group_barrier();\n" : "") + rows(term);
    text += "{\n";
    for (Index r = 0; r < shape_.rows; ++r) text += fmt::format("real2 c{} = to_real2(real(0), real(0));\n", r);
    text += columns(term, box);
    if (marches) {
      text += planes(term);
    } else {
      for (Index r = 0; r < shape_.rows; ++r) text += fmt::format("b{0}.x += c{0}.x;\nb{0}.y += c{0}.y;\n", r);
    }
    text += "}\n";
  }
  return text;
}

}  // namespace convoy::inline v0
