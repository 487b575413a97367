#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/voxel_rows.hpp"
#include "convoy/image.hpp"

using namespace convoy;

namespace {

/// IEEE 754-2008, section 3.6: the value of a binary16 number that is neither NaN nor infinite, by its definition.
double value_of(int bits) {
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  const double magnitude = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

int bits_of(double value) { return Float16(value).bits; }

template <class T, class Real>
T written(Real value, Index expected_saturated) {
  Index saturated = 0;
  const T voxel = to_voxel<T>(value, saturated);
  CHECK(saturated == expected_saturated);
  return voxel;
}

template <class T, class Real>
void check_integers() {
  CAPTURE(name(element_of<T>()));
  using Range = std::numeric_limits<T>;
  constexpr Real kBeyond = static_cast<Real>(static_cast<double>(Range::max()) + 1);
  const Real infinity = std::numeric_limits<Real>::infinity();
  CHECK(written<T, Real>(0.5, 0) == 0);
  CHECK(written<T, Real>(1.5, 0) == 2);
  CHECK(written<T, Real>(2.5, 0) == 2);
  CHECK(written<T, Real>(3.25, 0) == 3);
  CHECK(written<T, Real>(static_cast<Real>(Range::min()), 0) == Range::min());
  CHECK(written<T, Real>(kBeyond, 1) == Range::max());
  CHECK(written<T, Real>(infinity, 1) == Range::max());
  CHECK(written<T, Real>(-infinity, 1) == Range::min());
  CHECK(written<T, Real>(-2 * kBeyond, 1) == Range::min());
  CHECK(written<T, Real>(std::numeric_limits<Real>::quiet_NaN(), 1) == 0);
  // The largest number below the first that is beyond: of wide integers not the largest integer.
  const Real below = std::nextafter(kBeyond, Real(0));
  if (below == std::floor(below)) CHECK(static_cast<Real>(written<T, Real>(below, 0)) == below);
  if (std::is_signed_v<T>) CHECK(written<T, Real>(-1.5, 0) == static_cast<T>(-2));
  if (!std::is_signed_v<T>) CHECK(written<T, Real>(-0.5, 0) == 0);
  if (!std::is_signed_v<T>) CHECK(written<T, Real>(-0.75, 1) == 0);
}

}  // namespace

TEST_CASE("every half is read as its definition says and written as itself") {
  for (int bits = 0; bits < 0x10000; ++bits) {
    const auto value = static_cast<float>(Float16::from_bits(static_cast<std::uint16_t>(bits)));
    if ((bits & 0x7FFF) > 0x7C00) {
      CHECK(std::isnan(value));
      CHECK(std::isnan(static_cast<float>(Float16(value))));
      continue;
    }
    if ((bits & 0x7FFF) == 0x7C00) {
      CHECK(value == ((bits & 0x8000) != 0 ? -1 : 1) * std::numeric_limits<float>::infinity());
    } else {
      CHECK(value == value_of(bits));
    }
    CHECK(Float16(value).bits == bits);  // the sign of zero included
  }
}

TEST_CASE("halves are rounded once, to nearest, ties to even") {
  for (int bits = 0; bits < 0x7C00; ++bits) {
    const double low = value_of(bits);
    const double high = bits == 0x7BFF ? 65536 : value_of(bits + 1);
    const double middle = (low + high) / 2;  // exact
    CHECK(bits_of(middle) == bits + bits % 2);
    CHECK(bits_of(-middle) == (0x8000 | (bits + bits % 2)));
    CHECK(bits_of(std::nextafter(middle, 0)) == bits);
    CHECK(bits_of(std::nextafter(middle, 1e9)) == bits + 1);
  }
  CHECK(bits_of(1e300) == 0x7C00);
  CHECK(bits_of(-1e300) == 0xFC00);
  CHECK(bits_of(1e-300) == 0);
  CHECK(written<Float16>(65504.0F, 0) == 65504.0F);
  CHECK(std::isinf(written<Float16>(65520.0F, 1)));
  CHECK(std::isinf(written<Float16>(std::numeric_limits<double>::infinity(), 0)));
}

TEST_CASE("every bfloat16 is the upper half of a float, and written as itself") {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto value = static_cast<float>(BFloat16::from_bits(static_cast<std::uint16_t>(bits)));
    if ((bits & 0x7FFF) > 0x7F80) {
      CHECK(std::isnan(value));
      CHECK(std::isnan(static_cast<float>(BFloat16(value))));
      continue;
    }
    CHECK(std::bit_cast<std::uint32_t>(value) == bits << 16);
    CHECK(BFloat16(value).bits == bits);  // the sign of zero included
    CHECK(BFloat16(static_cast<double>(value)).bits == bits);
  }
}

TEST_CASE("bfloat16s are rounded once, to nearest, ties to even") {
  const auto value_at = [](int bits) {  // the next after the largest is what it would be
    const double value = static_cast<double>(static_cast<float>(BFloat16::from_bits(static_cast<std::uint16_t>(bits))));
    return bits == 0x7F80 ? 0x1p128 : value;
  };
  for (int bits = 0; bits < 0x7F80; ++bits) {
    const double middle = (value_at(bits) + value_at(bits + 1)) / 2;  // exact
    CHECK(BFloat16(middle).bits == bits + bits % 2);
    CHECK(BFloat16(-middle).bits == (0x8000 | (bits + bits % 2)));
    CHECK(BFloat16(std::nextafter(middle, 0)).bits == bits);
    CHECK(BFloat16(std::nextafter(middle, 1e300)).bits == bits + 1);  // which its float, a tie, would hide
  }
  CHECK(BFloat16(1e300).bits == 0x7F80);
  CHECK(BFloat16(-1e300).bits == 0xFF80);
  CHECK(BFloat16(1e-300).bits == 0);
  CHECK(written<BFloat16>(0x1.FEp127, 0) == 0x1.FEp127);
  CHECK(std::isinf(written<BFloat16>(std::numeric_limits<float>::max(), 1)));
  CHECK(std::isinf(written<BFloat16>(std::numeric_limits<double>::infinity(), 0)));
}

TEST_CASE("integers are rounded to even and clipped, from either precision") {
  check_integers<std::uint8_t, float>();
  check_integers<std::uint8_t, double>();
  check_integers<std::int8_t, float>();
  check_integers<std::int8_t, double>();
  check_integers<std::uint16_t, float>();
  check_integers<std::uint16_t, double>();
  check_integers<std::int16_t, float>();
  check_integers<std::int16_t, double>();
  check_integers<std::uint32_t, float>();
  check_integers<std::uint32_t, double>();
  check_integers<std::int32_t, float>();
  check_integers<std::int32_t, double>();
  CHECK(written<std::int32_t>(2147483647.0, 0) == 2147483647);
  CHECK(written<std::uint32_t>(4294967295.0, 0) == 4294967295U);
}

TEST_CASE("the table of elements agrees with the types of C++") {
  for (const ElementFacts& facts : kRealElements) {
    CAPTURE(facts.name);
    CHECK(name(facts.element) == std::string(facts.name));
    with_element(facts.element, [&](auto voxel) {
      using T = decltype(voxel);
      CHECK(element_of<T>() == facts.element);
      CHECK(element_of<const T>() == facts.element);
      CHECK(sizeof(T) == size_of(facts.element));
      CHECK(static_cast<double>(static_cast<T>(facts.highest)) == facts.highest);
      CHECK(static_cast<double>(static_cast<T>(facts.lowest)) == facts.lowest);
      Index saturated = 0;
      CHECK(std::isfinite(static_cast<double>(to_voxel<T>(facts.highest, saturated))));
      CHECK(saturated == 0);
      if (facts.element == Element::f64) return;
      to_voxel<T>(2 * facts.highest + 2, saturated);
      CHECK(saturated == 1);
    });
  }
  CHECK(std::string(name(static_cast<Element>(kElements.size()))) == "unknown");
  CHECK(element_of<std::complex<float>>() == Element::c64);
  CHECK(element_of<const std::complex<double>>() == Element::c128);
  for (const ElementFacts& facts : kElements) {
    CAPTURE(facts.name);
    CHECK((facts.kind == NumberKind::complex) == is_complex(facts.element));
    if (!is_complex(facts.element)) continue;
    CHECK(size_of(facts.element) == 2 * size_of(part_of(facts.element)));
    CHECK(complex_of(part_of(facts.element)) == facts.element);
    CHECK_THROWS_AS(with_element(facts.element, [](auto) {}), Error);
  }
}
