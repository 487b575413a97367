// Rows of voxels of any element, as the reals a device computes with, and back.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "convoy/image.hpp"

namespace convoy {

/// Calls function(T{}) with the C++ type of the element; the result is the function's.
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
      break;
  }
  return function(double{});
}

/// value as a T: integers are rounded to nearest (ties to even) and clipped, floats beyond their range are infinite;
/// `saturated` counts both.
template <class T, class Real>
T to_voxel(Real value, Index& saturated) {
  if constexpr (std::is_floating_point_v<T>) {
    const T voxel = static_cast<T>(value);
    if constexpr (sizeof(T) < sizeof(Real)) saturated += std::isinf(voxel) && std::isfinite(value) ? 1 : 0;
    return voxel;
  } else {
    const Real rounded = std::nearbyint(value);
    constexpr Real kHighest = std::numeric_limits<T>::max();
    if (rounded >= 0 && rounded <= kHighest) return static_cast<T>(rounded);
    ++saturated;
    return rounded > kHighest ? std::numeric_limits<T>::max() : T{0};  // NaN, too, becomes 0
  }
}

}  // namespace convoy
