// Shapes and boxes of images. Order is z, y, x everywhere: slowest first, x contiguous in memory.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "convoy/export.h"

namespace convoy::inline v0 {

/// A count or position in voxels along one axis. Signed, so that positions left of an image can be expressed.
using Index = std::int64_t;

/// Extents of an image in voxels. A 2-D image has z = 1, a line has z = y = 1.
struct Shape {
  Index z = 1;
  Index y = 1;
  Index x = 1;

  /// axis 0 is z, 1 is y, 2 is x.
  constexpr Index& operator[](int axis) { return axis == 0 ? z : axis == 1 ? y : x; }
  constexpr Index operator[](int axis) const { return axis == 0 ? z : axis == 1 ? y : x; }
  constexpr bool operator==(const Shape&) const = default;
};

/// A region: the voxels begin <= i < begin + size on every axis.
struct Box {
  Shape begin{0, 0, 0};
  Shape size;
  constexpr bool operator==(const Box&) const = default;
};

/// "zyx"[axis], for messages.
constexpr char axis_name(int axis) { return "zyx"[axis]; }

/// z * y * x. Throws Error(invalid_argument) if an extent is below 1 or the product exceeds 2^63 - 1.
CONVOY_API Index num_voxels(const Shape& shape);

/// Product of byte counts that stops at 2^64 - 1 instead of wrapping.
CONVOY_API std::uint64_t saturating_product(std::uint64_t a, std::uint64_t b);

/// Sum of byte counts that stops at 2^64 - 1 instead of wrapping.
CONVOY_API std::uint64_t saturating_sum(std::uint64_t a, std::uint64_t b);

/// "32x64x64" (z, y, x).
CONVOY_API std::string to_text(const Shape& shape);

/// "0:32,64:128,0:512": begin:end of z, y, x.
CONVOY_API std::string to_text(const Box& box);
/// Reads the same; missing numbers, as in ":32,:,64:", are the begin and end of `whole`. Fewer axes than three are the
/// last ones. Throws Error(invalid_argument) for what cannot be read, is empty or lies outside `whole`.
CONVOY_API Box box_from_text(const std::string& text, const Shape& whole);

}  // namespace convoy::inline v0
