// How voxels are stored: one table of all kinds.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>

#include "convoy/export.h"

namespace convoy::inline v0 {

/// A number of IEEE 754 binary16 (half precision): 11 significant bits, magnitudes from 2^-24 to 65504. C++20 has no
/// type for it; NumPy's float16, CUDA's __half and _Float16 have the same bits.
struct CONVOY_API Float16 {
  std::uint16_t bits = 0;

  Float16() = default;
  /// Rounded to nearest, ties to even, once; infinite from 65520 on.
  explicit Float16(double value);
  explicit Float16(float value) : Float16(static_cast<double>(value)) {}
  explicit Float16(int value) : Float16(static_cast<double>(value)) {}
  static constexpr Float16 from_bits(std::uint16_t bits) {
    Float16 number;
    number.bits = bits;
    return number;
  }
  /// Exact.
  constexpr operator float() const;
};

constexpr Float16::operator float() const {
  const std::uint32_t sign = (bits & 0x8000U) << 16;
  const std::uint32_t exponent = bits >> 10 & 0x1FU;
  const std::uint32_t fraction = bits & 0x3FFU;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
  }
  return std::bit_cast<float>(sign | (exponent == 0x1F ? 0xFFU : exponent + 112U) << 23 | fraction << 13);
}

inline Float16::Float16(double value) {
  const std::uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const double magnitude = std::abs(value);
  if (!(magnitude < 65520)) {
    bits = static_cast<std::uint16_t>(sign | (std::isnan(value) ? 0x7E00 : 0x7C00));
    return;
  }
  const auto raw_exponent = static_cast<int>(std::bit_cast<std::uint64_t>(magnitude) >> 52) - 1023;
  const int exponent = raw_exponent < -14 ? -14 : raw_exponent;
  const double steps = magnitude * std::bit_cast<double>(static_cast<std::uint64_t>(1023 + 10 - exponent) << 52);
  bits = static_cast<std::uint16_t>(sign | (static_cast<int>(std::nearbyint(steps)) + (exponent + 14) * 1024));
}

/// A bfloat16: the upper half of a float, 8 significant bits with the range of float. C++20 has no type for it; CUDA's
/// __nv_bfloat16, PyTorch's bfloat16 and those of ml_dtypes have the same bits.
struct CONVOY_API BFloat16 {
  std::uint16_t bits = 0;

  BFloat16() = default;
  /// Rounded to nearest, ties to even, once; infinite from (2 - 2^-8) 2^127 on.
  explicit BFloat16(double value);
  explicit BFloat16(float value) : BFloat16(static_cast<double>(value)) {}
  explicit BFloat16(int value) : BFloat16(static_cast<double>(value)) {}
  static constexpr BFloat16 from_bits(std::uint16_t bits) {
    BFloat16 number;
    number.bits = bits;
    return number;
  }
  /// Exact.
  constexpr operator float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }
};

inline BFloat16::BFloat16(double value) {
  const std::uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const double magnitude = std::abs(value);
  if (!(magnitude < 0x1.FFp127)) {
    bits = static_cast<std::uint16_t>(sign | (std::isnan(value) ? 0x7FC0 : 0x7F80));
    return;
  }
  const auto raw_exponent = static_cast<int>(std::bit_cast<std::uint64_t>(magnitude) >> 52) - 1023;
  const int exponent = raw_exponent < -126 ? -126 : raw_exponent;
  const double steps = magnitude * std::bit_cast<double>(static_cast<std::uint64_t>(1023 + 7 - exponent) << 52);
  bits = static_cast<std::uint16_t>(sign | (static_cast<int>(std::nearbyint(steps)) + (exponent + 126) * 128));
}

/// How a voxel is stored. Complex ones are a real and an imaginary part, side by side.
enum class Element { u8, u16, f32, f64, i8, i16, u32, i32, f16, bf16, c64, c128 };

enum class NumberKind { unsigned_integer, signed_integer, floating, complex };

struct ElementFacts {
  Element element;
  const char* name;
  std::size_t bytes;
  NumberKind kind;
  double lowest;  ///< finite; of complex numbers, that of a part
  double highest;
};

/// All elements, in the order of the enumeration. What else depends on an element is a function of its facts, or a
/// switch that names every element.
inline constexpr std::array<ElementFacts, 12> kElements{{
    {Element::u8, "u8", 1, NumberKind::unsigned_integer, 0, UINT8_MAX},
    {Element::u16, "u16", 2, NumberKind::unsigned_integer, 0, UINT16_MAX},
    {Element::f32, "f32", 4, NumberKind::floating, -std::numeric_limits<float>::max(),
     std::numeric_limits<float>::max()},
    {Element::f64, "f64", 8, NumberKind::floating, -std::numeric_limits<double>::max(),
     std::numeric_limits<double>::max()},
    {Element::i8, "i8", 1, NumberKind::signed_integer, INT8_MIN, INT8_MAX},
    {Element::i16, "i16", 2, NumberKind::signed_integer, INT16_MIN, INT16_MAX},
    {Element::u32, "u32", 4, NumberKind::unsigned_integer, 0, UINT32_MAX},
    {Element::i32, "i32", 4, NumberKind::signed_integer, INT32_MIN, INT32_MAX},
    {Element::f16, "f16", 2, NumberKind::floating, -65504, 65504},
    {Element::bf16, "bf16", 2, NumberKind::floating, -0x1.FEp127, 0x1.FEp127},
    {Element::c64, "c64", 8, NumberKind::complex, -std::numeric_limits<float>::max(),
     std::numeric_limits<float>::max()},
    {Element::c128, "c128", 16, NumberKind::complex, -std::numeric_limits<double>::max(),
     std::numeric_limits<double>::max()},
}};
static_assert([] {
  for (std::size_t i = 0; i < kElements.size(); ++i) {
    if (static_cast<std::size_t>(kElements[i].element) != i) return false;
  }
  return true;
}());

/// Those that are one number each: all but the complex ones.
inline constexpr std::span<const ElementFacts> kRealElements{kElements.data(), 10};

/// Elements that do not exist throw what std::array::at throws.
constexpr const ElementFacts& facts_of(Element element) { return kElements.at(static_cast<std::size_t>(element)); }
constexpr std::size_t size_of(Element element) { return facts_of(element).bytes; }
constexpr bool is_floating(Element element) { return facts_of(element).kind == NumberKind::floating; }
constexpr bool is_complex(Element element) { return facts_of(element).kind == NumberKind::complex; }
/// Of a complex element, that of a part; else the element itself.
constexpr Element part_of(Element element) {
  return element == Element::c64 ? Element::f32 : element == Element::c128 ? Element::f64 : element;
}
/// The complex element of such parts: c64 for f32, c128 for f64.
constexpr Element complex_of(Element part) { return part == Element::f64 ? Element::c128 : Element::c64; }

/// "u8", "i16", "f32" ...
CONVOY_API const char* name(Element element);

/// Whether T is a floating point voxel: float, double, Float16 or BFloat16.
template <class T>
inline constexpr bool is_floating_voxel =
    std::is_floating_point_v<T> || std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>;

/// Whether T is a complex voxel: std::complex<float> or std::complex<double>.
template <class T>
inline constexpr bool is_complex_voxel =
    std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>;

/// The element that a C++ type is, const or not: 8, 16 and 32 bit integers, float, double, Float16, BFloat16,
/// std::complex<float> and std::complex<double>.
template <class T>
constexpr Element element_of() {
  using V = std::remove_cv_t<T>;
  if (std::is_same_v<V, BFloat16>) return Element::bf16;  // the other float of 16 bits
  constexpr NumberKind kind = is_complex_voxel<V>    ? NumberKind::complex
                              : is_floating_voxel<V> ? NumberKind::floating
                              : std::is_signed_v<V>  ? NumberKind::signed_integer
                                                     : NumberKind::unsigned_integer;
  constexpr std::size_t place = [] {
    std::size_t i = 0;
    while (i < kElements.size() && (kElements[i].kind != kind || kElements[i].bytes != sizeof(V))) ++i;
    return i;
  }();
  static_assert((std::is_integral_v<V> || is_floating_voxel<V> || is_complex_voxel<V>)&&!std::is_same_v<V, bool> &&
                    place < kElements.size(),
                "convoy reads and writes integers of 8, 16 and 32 bits, Float16, BFloat16, float, double and complex");
  return kElements[place].element;
}

}  // namespace convoy::inline v0
