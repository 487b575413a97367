// Rows of voxels of any element, as the reals a device computes with, and back.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

#include "convoy/error.hpp"
#include "convoy/image.hpp"

namespace convoy::inline v0 {

/// Calls function(T{}) with the C++ type of the element, a real one; the result is the function's. Complex images are
/// taken apart before: for them this throws Error(unsupported).
template <class Function>
decltype(auto) with_element(Element element, Function&& function) {
  switch (element) {
    case Element::u8:
      return function(std::uint8_t{});
    case Element::u16:
      return function(std::uint16_t{});
    case Element::f32:
      return function(float{});
    case Element::f64:
      return function(double{});
    case Element::i8:
      return function(std::int8_t{});
    case Element::i16:
      return function(std::int16_t{});
    case Element::u32:
      return function(std::uint32_t{});
    case Element::i32:
      return function(std::int32_t{});
    case Element::f16:
      return function(Float16{});
    case Element::bf16:
      return function(BFloat16{});
    case Element::c64:
    case Element::c128:
      throw Error(Errc::unsupported,
                  std::string("voxels of ") + name(element) +
                      " are complex, and this takes real ones: take real and imaginary parts as images of their own");
  }
  throw Error(Errc::invalid_argument, "the voxels are of an unknown kind");
}

/// The rows of images as they lie in memory, aligned: numbered along y, then z, then from image to image.
template <class T>
class VoxelRows {
 public:
  explicit VoxelRows(const ImageView& images)
      : first_(static_cast<const T*>(images.data)), shape_(images.shape), strides_(images.strides_in_bytes()) {
    constexpr auto kBytes = static_cast<Index>(sizeof(T));
    strides_ = {strides_.z / kBytes, strides_.y / kBytes, strides_.x / kBytes, strides_.image / kBytes};
  }

  /// Distance of a row's voxels.
  Index stride() const { return strides_.x; }
  const T* row(Index number) const {
    const Index plane = number / shape_.y;
    return first_ + number % shape_.y * strides_.y + plane % shape_.z * strides_.z + plane / shape_.z * strides_.image;
  }
  /// Of images that were given to be written.
  T* mutable_row(Index number) const { return const_cast<T*>(row(number)); }

 private:
  const T* first_;
  Shape shape_;
  Strides strides_;  // in voxels
};

/// value as a T: integers are rounded to nearest (ties to even) and clipped, NaN becomes 0; floats beyond their range
/// are infinite. `saturated` counts what was clipped, NaN made 0, and what is infinite now and was not.
template <class T, class Real>
T to_voxel(Real value, Index& saturated) {
  if constexpr (is_floating_voxel<T>) {
    const T voxel = static_cast<T>(value);
    if constexpr (sizeof(T) < sizeof(Real)) saturated += std::isinf(voxel) && std::isfinite(value) ? 1 : 0;
    return voxel;
  } else {
    using Range = std::numeric_limits<T>;
    // Powers of 2, which Real holds; Range::max() it may not.
    constexpr Real kLowest = static_cast<Real>(Range::min());
    constexpr Real kBeyond = static_cast<Real>(static_cast<double>(Range::max()) + 1);
    const Real rounded = std::nearbyint(value);
    if (rounded >= kLowest && rounded < kBeyond) return static_cast<T>(rounded);
    ++saturated;
    return rounded >= kBeyond ? Range::max() : rounded < kLowest ? Range::min() : T{0};
  }
}

}  // namespace convoy::inline v0
