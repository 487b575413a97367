// Views of images in the caller's memory. Nothing here owns or copies voxels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "convoy/shape.hpp"

namespace convoy {

/// How a voxel is stored.
enum class Element { u8, u16, f32, f64 };

constexpr std::size_t size_of(Element element) {
  return element == Element::u8 ? 1 : element == Element::u16 ? 2 : element == Element::f32 ? 4 : 8;
}

/// "u8", "u16", "f32" or "f64".
const char* name(Element element);

template <class T>
constexpr Element element_of() {
  using V = std::remove_cv_t<T>;
  static_assert(std::is_same_v<V, std::uint8_t> || std::is_same_v<V, std::uint16_t> || std::is_same_v<V, float> ||
                    std::is_same_v<V, double>,
                "convoy reads and writes uint8_t, uint16_t, float and double");
  if constexpr (std::is_same_v<V, std::uint8_t>) return Element::u8;
  if constexpr (std::is_same_v<V, std::uint16_t>) return Element::u16;
  if constexpr (std::is_same_v<V, float>) return Element::f32;
  return Element::f64;
}

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

}  // namespace convoy
