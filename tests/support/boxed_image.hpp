// Images in memory that are read and written box by box, and watched while that happens.
#pragma once

#include <atomic>
#include <cstring>
#include <functional>
#include <mutex>
#include <vector>

#include "convoy/convoy.hpp"

namespace convoy::test {

/// Calls body(z, y, offset): every row of the box, and the voxel in `shape` where it begins.
template <class Body>
void for_each_row(const Shape& shape, const Box& box, const Body& body) {
  for (Index z = 0; z < box.size.z; ++z) {
    for (Index y = 0; y < box.size.y; ++y) {
      body(static_cast<std::size_t>(((box.begin.z + z) * shape.y + box.begin.y + y) * shape.x + box.begin.x));
    }
  }
}

inline bool lies_inside(const Shape& shape, const Box& box) {
  for (int axis = 0; axis < 3; ++axis) {
    if (box.begin[axis] < 0 || box.size[axis] < 1 || box.begin[axis] + box.size[axis] > shape[axis]) return false;
  }
  return true;
}

template <class T>
class BoxedImage : public ImageReader {
 public:
  BoxedImage(std::vector<T> voxels, const Shape& shape, const Shape& chunk)
      : voxels_(std::move(voxels)), shape_(shape), chunk_(chunk) {}

  Shape shape() const override { return shape_; }
  Element element() const override { return element_of<T>(); }
  Shape chunk() const override { return chunk_; }
  void read(const Box& box, std::byte* to) const override {
    if (on_read) on_read(box);
    if (!lies_inside(shape_, box)) throw Error(Errc::io, "a box outside the image was read");
    voxels_read += num_voxels(box.size);
    const std::size_t row_bytes = static_cast<std::size_t>(box.size.x) * sizeof(T);
    for_each_row(shape_, box, [&](std::size_t offset) {
      std::memcpy(to, voxels_.data() + offset, row_bytes);
      to += row_bytes;
    });
  }

  const std::vector<T>& voxels() const { return voxels_; }
  std::function<void(const Box&)> on_read;
  mutable std::atomic<Index> voxels_read{0};

 private:
  std::vector<T> voxels_;
  Shape shape_;
  Shape chunk_;
};

template <class T>
class BoxedOutput : public ImageWriter {
 public:
  BoxedOutput(const Shape& shape, const Shape& chunk)
      : shape_(shape),
        chunk_(chunk),
        voxels_(static_cast<std::size_t>(num_voxels(shape))),
        times_written_(voxels_.size()) {}

  Shape shape() const override { return shape_; }
  Element element() const override { return element_of<T>(); }
  Shape chunk() const override { return chunk_; }
  void write(const Box& box, const std::byte* from) override {
    if (on_write) on_write(box);
    if (!lies_inside(shape_, box)) throw Error(Errc::io, "a box outside the image was written");
    const std::size_t row_bytes = static_cast<std::size_t>(box.size.x) * sizeof(T);
    const std::lock_guard lock(mutex_);
    for_each_row(shape_, box, [&](std::size_t offset) {
      std::memcpy(voxels_.data() + offset, from, row_bytes);
      from += row_bytes;
      for (std::size_t i = 0; i < static_cast<std::size_t>(box.size.x); ++i) ++times_written_[offset + i];
    });
  }
  /// Voxels that were written before forget_half() and not forgotten.
  bool holds(const Box& box) const override {
    bool all = remembers_;
    for_each_row(shape_, box, [&](std::size_t offset) {
      for (std::size_t i = 0; i < static_cast<std::size_t>(box.size.x); ++i)
        all = all && times_written_[offset + i] > 0;
    });
    return all;
  }

  /// As if the run had been stopped: the second half of the planes, or rows of a single plane, were never written.
  void forget_half() {
    remembers_ = true;
    const bool planes = shape_.z > 1;
    const Index layers = planes ? shape_.z : shape_.y;
    for (std::size_t i = 0; i < voxels_.size(); ++i) {
      const auto row = static_cast<Index>(i) / shape_.x;
      const Index layer = planes ? row / shape_.y : row;
      if (layer < layers / 2) continue;
      voxels_[i] = T{};
      times_written_[i] = 0;
    }
  }

  const std::vector<T>& voxels() const { return voxels_; }
  bool all_written_once() const {
    for (const int times : times_written_) {
      if (times != 1) return false;
    }
    return true;
  }
  bool all_written() const {
    for (const int times : times_written_) {
      if (times < 1) return false;
    }
    return true;
  }
  std::function<void(const Box&)> on_write;

 private:
  Shape shape_;
  Shape chunk_;
  bool remembers_ = false;
  std::mutex mutex_;
  std::vector<T> voxels_;
  std::vector<int> times_written_;
};

}  // namespace convoy::test
