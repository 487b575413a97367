// Images: views of the caller's memory, which neither own nor copy voxels, and one that owns its voxels.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "convoy/element.hpp"
#include "convoy/export.h"
#include "convoy/metadata.hpp"
#include "convoy/shape.hpp"

namespace convoy::inline v0 {

/// Distances in bytes: from a voxel to the next one along z, y and x, and from an image of a batch to the next image.
/// Of any sign; an axis of distance 0 shows the same voxels over and over.
struct Strides {
  Index z = 0;
  Index y = 0;
  Index x = 0;
  Index image = 0;

  /// axis 0 is z, 1 is y, 2 is x.
  constexpr Index& operator[](int axis) { return axis == 0 ? z : axis == 1 ? y : x; }
  constexpr Index operator[](int axis) const { return axis == 0 ? z : axis == 1 ? y : x; }
  constexpr bool operator==(const Strides&) const = default;
};

/// Those of images whose voxels follow each other without gaps, x first, then y, then z.
CONVOY_API Strides dense_strides(const Shape& shape, Element element);

/// An image to read, or a batch of images of one shape: voxels in the caller's memory, at the distances that `strides`
/// says, such as a part of a larger array, one channel of several, or an array whose axes are reversed or in another
/// order. Convolver reads and writes voxels where they lie; all else may copy what is not dense. For images to convolve
/// or to restore, address and distances must be multiples of the element's size, of complex ones of a part's.
struct CONVOY_API ImageView {
  const void* data = nullptr;  ///< voxel 0,0,0 of the first image; with negative distances, others lie before it
  Element element = Element::f32;
  Shape shape;
  Index batch = 1;
  std::optional<Strides> strides;  ///< dense (dense_strides()) if there are none

  ImageView() = default;
  ImageView(const void* voxels, Element kind, const Shape& extents, Index images = 1,
            const std::optional<Strides>& distances = {})
      : data(voxels), element(kind), shape(extents), batch(images), strides(distances) {}
  /// Throws Error(invalid_argument) unless the span holds exactly the voxels of that many images.
  template <class T>
  ImageView(std::span<T> voxels, const Shape& extents, Index images = 1)
      : ImageView(voxels.data(), element_of<T>(), extents, images) {
    require_size(voxels.size());
  }
  template <class T>
  ImageView(const T& container, const Shape& extents, Index images = 1)
      : ImageView(std::span(container), extents, images) {}

  /// The distances, given or dense. Along axes of one voxel they mean nothing, and are those of an axis without gaps.
  Strides strides_in_bytes() const;
  bool is_dense() const;
  /// Image `number` of the batch.
  ImageView image(Index number) const;
  /// Of complex images the real (0) or imaginary (1) part, where it lies.
  ImageView part(int number) const;
  /// A dense batch as one image, its images' planes one behind the other. Throws Error(invalid_argument) for others.
  ImageView as_one() const;

 private:
  void require_size(std::size_t voxels) const;
};

/// An image to write, or a batch of them, likewise. No two of its voxels may overlap: along each axis, a step must lead
/// over all that the axes of smaller distances take up, which convolvers check. Bytes between voxels stay as they are.
struct CONVOY_API MutableImageView {
  void* data = nullptr;
  Element element = Element::f32;
  Shape shape;
  Index batch = 1;
  std::optional<Strides> strides;

  MutableImageView() = default;
  MutableImageView(void* voxels, Element kind, const Shape& extents, Index images = 1,
                   const std::optional<Strides>& distances = {})
      : data(voxels), element(kind), shape(extents), batch(images), strides(distances) {}
  /// Throws Error(invalid_argument) unless the span holds exactly the voxels of that many images.
  template <class T>
  requires(!std::is_const_v<T>) MutableImageView(std::span<T> voxels, const Shape& extents, Index images = 1)
      : MutableImageView(voxels.data(), element_of<T>(), extents, images) {
    require_size(voxels.size());
  }
  template <class T>
  MutableImageView(T& container, const Shape& extents, Index images = 1)
      : MutableImageView(std::span(container), extents, images) {}

  operator ImageView() const { return {data, element, shape, batch, strides}; }
  Strides strides_in_bytes() const { return ImageView(*this).strides_in_bytes(); }
  bool is_dense() const { return ImageView(*this).is_dense(); }
  MutableImageView image(Index number) const;
  MutableImageView part(int number) const;

 private:
  void require_size(std::size_t voxels) const;
};

/// Throws Error(invalid_argument) that names both unless they are the same.
CONVOY_API void require_element(Element wanted, Element found);

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
CONVOY_API Image make_image(const Shape& shape, Element element);

}  // namespace convoy::inline v0
