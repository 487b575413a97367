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

/// A dense image to read: shape z, y, x with x contiguous and no gaps; or a batch of such images, one behind the other.
struct ImageView {
  const void* data = nullptr;
  Element element = Element::f32;
  Shape shape;
  Index batch = 1;

  ImageView() = default;
  ImageView(const void* voxels, Element kind, const Shape& extents, Index images = 1)
      : data(voxels), element(kind), shape(extents), batch(images) {}
  /// Throws Error(invalid_argument) unless the span holds exactly the voxels of that many images.
  template <class T>
  ImageView(std::span<T> voxels, const Shape& extents, Index images = 1)
      : ImageView(voxels.data(), element_of<T>(), extents, images) {
    require_size(voxels.size());
  }
  template <class T>
  ImageView(const T& container, const Shape& extents, Index images = 1)
      : ImageView(std::span(container), extents, images) {}

  /// Image `number` of the batch.
  ImageView image(Index number) const;
  /// The batch as one image, its images' planes one behind the other.
  ImageView as_one() const { return {data, element, {batch * shape.z, shape.y, shape.x}}; }

 private:
  void require_size(std::size_t voxels) const;
};

/// A dense image to write, or a batch of them, likewise.
struct MutableImageView {
  void* data = nullptr;
  Element element = Element::f32;
  Shape shape;
  Index batch = 1;

  MutableImageView() = default;
  MutableImageView(void* voxels, Element kind, const Shape& extents, Index images = 1)
      : data(voxels), element(kind), shape(extents), batch(images) {}
  /// Throws Error(invalid_argument) unless the span holds exactly the voxels of that many images.
  template <class T>
  requires(!std::is_const_v<T>) MutableImageView(std::span<T> voxels, const Shape& extents, Index images = 1)
      : MutableImageView(voxels.data(), element_of<T>(), extents, images) {
    require_size(voxels.size());
  }
  template <class T>
  MutableImageView(T& container, const Shape& extents, Index images = 1)
      : MutableImageView(std::span(container), extents, images) {}

  operator ImageView() const { return {data, element, shape, batch}; }
  MutableImageView image(Index number) const;
  MutableImageView as_one() const { return {data, element, {batch * shape.z, shape.y, shape.x}}; }

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
