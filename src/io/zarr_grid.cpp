#include "io/zarr_grid.hpp"

#include <algorithm>
#include <string_view>

namespace convoy::io {
namespace {

Index chunks_along(const ZarrArray& array, std::size_t axis) {
  return (array.extents[axis] + array.chunk[axis] - 1) / array.chunk[axis];
}

}  // namespace

ZarrGrid::ZarrGrid(ZarrArray array, const std::vector<FileAxis>& axes) : array_(std::move(array)) {
  constexpr std::string_view kOrder = "TCZYX";
  for (std::size_t i = 0; i < axes.size(); ++i) axis_of_[kOrder.find(axes[i].name)] = static_cast<int>(i);
  std::vector<std::uint64_t> strides(axes.size(), 1);
  for (std::size_t i = 1; i < axes.size(); ++i) {
    const auto axis = static_cast<std::size_t>(array_.order[axes.size() - 1 - i]);
    const auto faster = static_cast<std::size_t>(array_.order[axes.size() - i]);
    strides[axis] = strides[faster] * static_cast<std::uint64_t>(array_.chunk[faster]);
  }
  for (std::size_t letter = 0; letter < kOrder.size(); ++letter) {
    if (axis_of_[letter] < 0) continue;
    const auto axis = static_cast<std::size_t>(axis_of_[letter]);
    strides_[letter] = strides[axis];
    if (letter == kChannel) num_channels_ = array_.extents[axis];
    if (letter < 2) continue;
    image_[static_cast<int>(letter) - 2] = array_.extents[axis];
    chunk_[static_cast<int>(letter) - 2] = std::min(array_.chunk[axis], array_.extents[axis]);
    file_[static_cast<int>(letter) - 2] = std::min(array_.file_shape()[axis], array_.extents[axis]);
  }
}

Index ZarrGrid::place(Index image, int axis) const {
  return axis == kTime ? image / num_channels_ : image % num_channels_;
}

std::vector<Shape> ZarrGrid::touched(const Box& box) const {
  Shape first;
  Shape last;
  for (int axis = 0; axis < 3; ++axis) {
    first[axis] = box.begin[axis] / chunk_[axis];
    last[axis] = (box.begin[axis] + box.size[axis] - 1) / chunk_[axis];
  }
  std::vector<Shape> positions;
  for (Index z = first.z; z <= last.z; ++z) {
    for (Index y = first.y; y <= last.y; ++y) {
      for (Index x = first.x; x <= last.x; ++x) positions.push_back({z, y, x});
    }
  }
  return positions;
}

Box ZarrGrid::voxels_of(const Shape& position) const {
  Box box;
  for (int axis = 0; axis < 3; ++axis) {
    box.begin[axis] = position[axis] * chunk_[axis];
    box.size[axis] = std::min(chunk_[axis], image_[axis] - box.begin[axis]);
  }
  return box;
}

std::vector<Index> ZarrGrid::position_in_array(Index image, const Shape& position) const {
  std::vector<Index> numbers(array_.extents.size());
  for (int letter = 0; letter < 5; ++letter) {
    const int axis = axis_of_[static_cast<std::size_t>(letter)];
    if (axis < 0) continue;
    const auto i = static_cast<std::size_t>(axis);
    numbers[i] = letter < 2 ? place(image, letter) / array_.chunk[i] : position[letter - 2];
  }
  return numbers;
}

std::uint64_t ZarrGrid::number_of(Index image, const Shape& position) const {
  std::uint64_t number = 0;
  for (int letter = 0; letter < 5; ++letter) {
    const int axis = axis_of_[static_cast<std::size_t>(letter)];
    if (axis < 0) continue;
    const auto i = static_cast<std::size_t>(axis);
    const Index chunks = chunks_along(array_, i);
    const Index here = letter < 2 ? place(image, letter) / array_.chunk[i] : position[letter - 2];
    number = number * static_cast<std::uint64_t>(chunks) + static_cast<std::uint64_t>(here);
  }
  return number;
}

std::uint64_t ZarrGrid::index_of(Index image, Index z, Index y, Index x) const {
  const std::array<Index, 5> at{place(image, kTime), place(image, kChannel), z, y, x};
  std::uint64_t index = 0;
  for (std::size_t letter = 0; letter < 5; ++letter) {
    if (axis_of_[letter] < 0) continue;
    const Index chunk = array_.chunk[static_cast<std::size_t>(axis_of_[letter])];
    index += static_cast<std::uint64_t>(at[letter] % chunk) * strides_[letter];
  }
  return index;
}

}  // namespace convoy::io
