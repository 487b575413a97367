// Images: views of the caller's memory, which neither own nor copy voxels, and one that owns its voxels.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include "convoy/element.hpp"
#include "convoy/metadata.hpp"
#include "convoy/shape.hpp"

namespace convoy {

/// A dense image to read: shape z, y, x with x contiguous and no gaps.
struct ImageView {
  const void* data = nullptr;
  Element element = Element::f32;
  Shape shape;

  ImageView() = default;
  ImageView(const void* voxels, Element kind, const Shape& extents) : data(voxels), element(kind), shape(extents) {}
  /// Throws Error(invalid_argument) unless the span holds exactly the shape's voxels.
  template <class T>
  ImageView(std::span<T> voxels, const Shape& extents) : ImageView(voxels.data(), element_of<T>(), extents) {
    require_size(voxels.size());
  }
  template <class T>
  ImageView(const T& container, const Shape& extents) : ImageView(std::span(container), extents) {}

 private:
  void require_size(std::size_t voxels) const;
};

/// A dense image to write: shape z, y, x with x contiguous and no gaps.
struct MutableImageView {
  void* data = nullptr;
  Element element = Element::f32;
  Shape shape;

  MutableImageView() = default;
  MutableImageView(void* voxels, Element kind, const Shape& extents) : data(voxels), element(kind), shape(extents) {}
  /// Throws Error(invalid_argument) unless the span holds exactly the shape's voxels.
  template <class T>
  requires(!std::is_const_v<T>) MutableImageView(std::span<T> voxels, const Shape& extents)
      : MutableImageView(voxels.data(), element_of<T>(), extents) {
    require_size(voxels.size());
  }
  template <class T>
  MutableImageView(T& container, const Shape& extents) : MutableImageView(std::span(container), extents) {}

  operator ImageView() const { return {data, element, shape}; }

 private:
  void require_size(std::size_t voxels) const;
};

/// Throws Error(invalid_argument) that names both unless they are the same.
void require_element(Element wanted, Element found);

/// An image that owns its voxels: dense, z, y, x with x contiguous, in the machine's byte order.
struct Image {
  Shape shape;
  Element element = Element::f32;
  std::vector<std::byte> bytes;
  ImageMetadata metadata;

  ImageView view() const { return {bytes.data(), element, shape}; }
  MutableImageView mutable_view() { return {bytes.data(), element, shape}; }
  /// All voxels, x fastest, then y. Throws Error(invalid_argument) unless T is what the image holds.
  template <class T>
  std::span<const T> voxels() const {
    require_element(element_of<T>(), element);
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
  template <class T>
  std::span<T> voxels() {
    require_element(element_of<T>(), element);
    return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
};

/// An image of zeros. Throws Error(invalid_argument) for extents below 1, OutOfMemory if the machine has no room for
/// it.
Image make_image(const Shape& shape, Element element);

}  // namespace convoy
