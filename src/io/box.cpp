#include "io/box.hpp"

#include <fmt/format.h>

#include "convoy/error.hpp"

namespace convoy::io {
namespace {

/// The part of a box between two positions along an axis.
Box slab_of(const Box& box, int axis, Index begin, Index end) {
  Box slab = box;
  slab.begin[axis] = begin;
  slab.size[axis] = end - begin;
  return slab;
}

void cut_along(int axis, const Box& box, const Shape& grain, std::uint64_t most_voxels, std::vector<Box>& pieces) {
  if (axis == 3 || count_of(box) <= most_voxels) {
    pieces.push_back(box);
    return;
  }
  const std::uint64_t slice_voxels = count_of(box) / static_cast<std::uint64_t>(box.size[axis]);
  const auto length = static_cast<Index>(std::min<std::uint64_t>(most_voxels / slice_voxels, INT64_MAX));
  const Index step = std::max<Index>(1, length / grain[axis]) * grain[axis];
  const Index box_end = box.begin[axis] + box.size[axis];
  for (Index begin = box.begin[axis]; begin < box_end;) {
    const Index aligned_end = begin / grain[axis] * grain[axis] + step;
    const Index end = std::min(box_end, aligned_end);
    cut_along(axis + 1, slab_of(box, axis, begin, end), grain, most_voxels, pieces);
    begin = end;
  }
}

}  // namespace

void require_inside(const Shape& shape, const Box& box) {
  if (contains(shape, box)) return;
  throw Error(Errc::invalid_argument,
              fmt::format("a box of {} voxels from {},{},{} on does not lie in an image of {} zyx", to_text(box.size),
                          box.begin.z, box.begin.y, box.begin.x, to_text(shape)));
}

std::vector<Box> difference(const Box& box, const Box& cut) {
  const Box common = intersection(box, cut);
  if (count_of(common) == 0) return {box};
  std::vector<Box> rest;
  Box middle = box;  // of the axes that are done, what both have
  for (int axis = 0; axis < 3; ++axis) {
    const Index common_end = common.begin[axis] + common.size[axis];
    const Index end = box.begin[axis] + box.size[axis];
    if (common.begin[axis] > box.begin[axis]) {
      rest.push_back(slab_of(middle, axis, box.begin[axis], common.begin[axis]));
    }
    if (common_end < end) rest.push_back(slab_of(middle, axis, common_end, end));
    middle = slab_of(middle, axis, common.begin[axis], common_end);
  }
  return rest;
}

std::vector<Box> pieces_of(const Box& box, const Shape& grain, std::uint64_t most_voxels) {
  std::vector<Box> pieces;
  cut_along(0, box, grain, most_voxels, pieces);
  return pieces;
}

}  // namespace convoy::io
