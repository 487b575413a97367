// Images whose voxels lie at distances of their own in a larger buffer.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "convoy/image.hpp"

namespace convoy::test {

/// The axes of a batch of images (0 z, 1 y, 2 x, 3 the batch) in the order in which they lie in memory, slowest first,
/// and how many voxels of each there are in the buffer for one of the image's. Negative: in descending order.
struct Layout {
  std::array<int, 4> order{3, 0, 1, 2};
  std::array<Index, 4> steps{1, 1, 1, 1};  ///< of axes as numbered above
};

/// A buffer of `gap`s, and the images that lie in it.
template <class T>
class PlacedImages {
 public:
  PlacedImages(const Shape& shape, Index batch, const Layout& layout, T gap) : shape_(shape), batch_(batch) {
    std::array<Index, 4> strides{};
    Index stride = 1;
    Index first = 0;
    for (auto axis = layout.order.rbegin(); axis != layout.order.rend(); ++axis) {
      const auto place = static_cast<std::size_t>(*axis);
      const Index extent = *axis == 3 ? batch : shape[*axis];
      strides[place] = stride * layout.steps[place];
      if (strides[place] < 0) first -= strides[place] * (extent - 1);
      stride *= extent * std::abs(layout.steps[place]);
    }
    buffer_.assign(static_cast<std::size_t>(stride), gap);
    first_ = buffer_.data() + first;
    constexpr auto kBytes = static_cast<Index>(sizeof(T));
    strides_ = {strides[0] * kBytes, strides[1] * kBytes, strides[2] * kBytes, strides[3] * kBytes};
  }

  MutableImageView view() { return {first_, element_of<T>(), shape_, batch_, strides_}; }

  T& at(Index image, Index z, Index y, Index x) {
    const Index bytes = image * strides_.image + z * strides_.z + y * strides_.y + x * strides_.x;
    return first_[bytes / static_cast<Index>(sizeof(T))];
  }
  /// In the order of a dense batch.
  std::vector<T> voxels() {
    std::vector<T> values;
    for_each([&](T& voxel) { values.push_back(voxel); });
    return values;
  }
  template <class Values>
  void fill(const Values& values) {
    auto next = values.begin();
    for_each([&](T& voxel) { voxel = static_cast<T>(*next++); });
  }
  std::span<std::byte> bytes() { return std::as_writable_bytes(std::span(buffer_)); }
  /// Of the first voxel in the buffer.
  std::size_t offset_bytes() const { return static_cast<std::size_t>(first_ - buffer_.data()) * sizeof(T); }
  /// How many of the buffer's voxels are `gap`.
  Index count(T gap) const { return std::count(buffer_.begin(), buffer_.end(), gap); }
  Index size() const { return static_cast<Index>(buffer_.size()); }

 private:
  template <class Body>
  void for_each(const Body& body) {
    for (Index image = 0; image < batch_; ++image) {
      for (Index z = 0; z < shape_.z; ++z) {
        for (Index y = 0; y < shape_.y; ++y) {
          for (Index x = 0; x < shape_.x; ++x) body(at(image, z, y, x));
        }
      }
    }
  }

  Shape shape_;
  Index batch_;
  std::vector<T> buffer_;
  T* first_ = nullptr;
  Strides strides_;
};

/// Transposed, reversed, interleaved, with gaps, and the batch as the innermost axis.
inline std::vector<Layout> layouts() {
  return {{{3, 0, 1, 2}, {1, 1, 1, 2}},   {{3, 0, 1, 2}, {2, 3, 1, 1}},   {{3, 2, 1, 0}, {1, 1, 1, 1}},
          {{3, 0, 1, 2}, {-1, 1, 1, 1}},  {{3, 0, 1, 2}, {1, -1, -1, 1}}, {{0, 1, 2, 3}, {1, 1, 1, 1}},
          {{1, 3, 2, 0}, {-2, 1, -3, -1}}};
}

}  // namespace convoy::test
