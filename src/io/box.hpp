// Boxes of voxels in a dense buffer.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "convoy/shape.hpp"

namespace convoy::io {

inline std::uint64_t count_of(const Box& box) {
  return static_cast<std::uint64_t>(box.size.z) * static_cast<std::uint64_t>(box.size.y) *
         static_cast<std::uint64_t>(box.size.x);
}

/// Position of a voxel of the image in the dense buffer of a box, in voxels.
inline std::uint64_t index_in(const Box& box, Index z, Index y, Index x) {
  return static_cast<std::uint64_t>(((z - box.begin.z) * box.size.y + y - box.begin.y) * box.size.x + x - box.begin.x);
}

inline bool contains(const Shape& shape, const Box& box) {
  for (int axis = 0; axis < 3; ++axis) {
    const Index begin = box.begin[axis];
    const Index size = box.size[axis];
    if (begin < 0 || size < 1 || begin > shape[axis] || size > shape[axis] - begin) return false;
  }
  return true;
}

/// Throws Error(invalid_argument).
void require_inside(const Shape& shape, const Box& box);

/// What both boxes hold; an extent is 0 where they do not meet.
inline Box intersection(const Box& a, const Box& b) {
  Box common;
  for (int axis = 0; axis < 3; ++axis) {
    common.begin[axis] = std::max(a.begin[axis], b.begin[axis]);
    const Index end = std::min(a.begin[axis] + a.size[axis], b.begin[axis] + b.size[axis]);
    common.size[axis] = std::max<Index>(0, end - common.begin[axis]);
  }
  return common;
}

/// What `box` holds beside `cut`: at most six boxes.
std::vector<Box> difference(const Box& box, const Box& cut);

/// The box in pieces of at most so many voxels, cut along z, then y, then x, at multiples of `grain`; a piece that is
/// no larger than one grain may have more.
std::vector<Box> pieces_of(const Box& box, const Shape& grain, std::uint64_t most_voxels);

inline Box whole(const Shape& shape) { return {{0, 0, 0}, shape}; }

}  // namespace convoy::io
