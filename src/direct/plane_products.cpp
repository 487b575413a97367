#include "direct/plane_products.hpp"

#include <fmt/format.h>

namespace convoy::inline v0 {
namespace {

/// Voxels that a thread keeps in registers while each tap is read once.
constexpr Index kVoxelsInRegisters = 64;

}  // namespace

std::string PlaneProducts::sum(Index plane, Index row, Index x) { return fmt::format("s{}_{}_{}", plane, row, x); }

void PlaneProducts::for_each_sum(const std::function<void(Index, Index, Index)>& todo) const {
  for (Index plane = 0; plane < nz(); ++plane) {
    for (Index row = 0; row < rows_; ++row) {
      for (Index x = 0; x < 2; ++x) todo(plane, row, x);
    }
  }
}

std::string PlaneProducts::declared() const {
  std::string text;
  for_each_sum([&](Index s, Index r, Index x) { text += fmt::format("real {} = real(0);\n", sum(s, r, x)); });
  return text;
}

std::string PlaneProducts::moved_on() const {
  std::string text;
  for_each_sum([&](Index s, Index r, Index x) {
    text += fmt::format("{} = {};\n", sum(s, r, x), s + 1 < nz() ? sum(s + 1, r, x) : "real(0)");
  });
  return text;
}

bool PlaneProducts::keeps_rows() const {
  return costly_taps_ && (rows_ + ny() - 1) * 2 * window_pairs() <= kVoxelsInRegisters;
}

std::string PlaneProducts::products() const { return keeps_rows() ? of_kept_rows() : row_by_row(); }

/// Voxel number `voxel` of a window to both outputs.
std::string PlaneProducts::product(Index plane, Index row, Index y, Index voxel, const std::string& value) const {
  std::string text;
  for (Index x = 0; x < 2; ++x) {
    const Index t = nx() - 1 - voxel + x;
    if (t >= 0 && t < nx()) text += fmt::format("{} += {} * {};\n", sum(plane, row, x), tap(plane, y, t), value);
  }
  return text;
}

/// Every voxel is used as soon as it is there.
std::string PlaneProducts::row_by_row() const {
  std::string text;
  for (Index row = 0; row < rows_ + ny() - 1; ++row) {
    for (Index pair = 0; pair < window_pairs(); ++pair) {
      text += fmt::format("{{\nreal2 v = ELEMENT(shared_values, voxels, {}u);\n", row * box_x_ + pair);
      for (Index i = 2 * pair; i < 2 * pair + 2; ++i) {
        for (Index s = 0; s < nz(); ++s) {
          for (Index r = 0; r < rows_; ++r) {
            const Index y = ny() - 1 - (row - r);
            if (y < 0 || y >= ny()) continue;
            text += product(s, r, y, i, i % 2 == 0 ? "v.x" : "v.y");
          }
        }
      }
      text += "}\n";
    }
  }
  return text;
}

/// Every tap is used as soon as it is there.
std::string PlaneProducts::of_kept_rows() const {
  std::string text;
  for (Index row = 0; row < rows_ + ny() - 1; ++row) {
    for (Index pair = 0; pair < window_pairs(); ++pair) {
      text += fmt::format("real2 v{0}_{1} = ELEMENT(shared_values, voxels, {2}u);\n", row, pair, row * box_x_ + pair);
    }
  }
  for (Index s = 0; s < nz(); ++s) {
    for (Index y = 0; y < ny(); ++y) {
      for (Index t = 0; t < nx(); ++t) {
        text += fmt::format("{{\nreal t = {};\n", tap(s, y, t));
        for (Index r = 0; r < rows_; ++r) {
          for (Index x = 0; x < 2; ++x) {
            const Index i = nx() - 1 - t + x;
            text +=
                fmt::format("{} += t * v{}_{}.{};\n", sum(s, r, x), ny() - 1 - y + r, i / 2, i % 2 == 0 ? 'x' : 'y');
          }
        }
        text += "}\n";
      }
    }
  }
  return text;
}

}  // namespace convoy::inline v0
