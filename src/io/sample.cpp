#include "io/sample.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

namespace convoy::io {
namespace {

template <class From, class To>
void convert_as(const std::byte* samples, std::uint64_t count, std::byte* voxels) {
  for (std::uint64_t i = 0; i < count; ++i) {
    From value{};
    std::memcpy(&value, samples + i * sizeof(From), sizeof(From));
    const To voxel = static_cast<To>(value);
    std::memcpy(voxels + i * sizeof(To), &voxel, sizeof(To));
  }
}

/// Source: IEEE 754-2008, section 3.4, binary16.
float float_from_half(std::uint16_t half) {
  const int exponent = half >> 10 & 0x1F;
  const int fraction = half & 0x3FF;
  const float sign = (half & 0x8000) != 0 ? -1.0F : 1.0F;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  if (exponent < 0x1F) return sign * std::ldexp(static_cast<float>(fraction + 0x400), exponent - 25);
  return fraction == 0 ? sign * std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
}

void convert_halves(const std::byte* samples, std::uint64_t count, std::byte* voxels) {
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint16_t half = 0;
    std::memcpy(&half, samples + i * sizeof half, sizeof half);
    const float voxel = float_from_half(half);
    std::memcpy(voxels + i * sizeof voxel, &voxel, sizeof voxel);
  }
}

void convert_shifted(const std::byte* samples, std::uint64_t count, std::byte* voxels) {
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint16_t stored = 0;
    std::memcpy(&stored, samples + i * sizeof stored, sizeof stored);
    const auto voxel = static_cast<float>(stored - 32768);
    std::memcpy(voxels + i * sizeof voxel, &voxel, sizeof voxel);
  }
}

template <class From>
void convert_exactly(const std::byte* samples, std::uint64_t count, std::byte* voxels) {
  constexpr auto kLargest = std::int64_t{1} << 53;
  for (std::uint64_t i = 0; i < count; ++i) {
    From value{};
    std::memcpy(&value, samples + i * sizeof value, sizeof value);
    if (std::cmp_greater(value, kLargest) || std::cmp_less(value, -kLargest)) throw InexactVoxel();
  }
  convert_as<From, double>(samples, count, voxels);
}

}  // namespace

std::size_t size_of(Sample sample) {
  switch (sample) {
    case Sample::u8:
    case Sample::i8:
      return 1;
    case Sample::u16:
    case Sample::i16:
    case Sample::f16:
    case Sample::shifted_i16:
      return 2;
    case Sample::f64:
    case Sample::u64:
    case Sample::i64:
      return 8;
    default:
      return 4;
  }
}

const char* name(Sample sample) {
  switch (sample) {
    case Sample::u8:
      return "u8";
    case Sample::u16:
      return "u16";
    case Sample::f32:
      return "f32";
    case Sample::f64:
      return "f64";
    case Sample::i8:
      return "i8";
    case Sample::i16:
      return "i16";
    case Sample::u32:
      return "u32";
    case Sample::i32:
      return "i32";
    case Sample::f16:
      return "f16";
    case Sample::u64:
      return "u64";
    case Sample::i64:
      return "i64";
    case Sample::shifted_i16:
      return "i16";
  }
  return "unknown";
}

std::optional<Sample> sample_named(std::string_view text) {
  for (const Sample sample : {Sample::u8, Sample::u16, Sample::f32, Sample::f64, Sample::i8, Sample::i16, Sample::u32,
                              Sample::i32, Sample::f16, Sample::u64, Sample::i64}) {
    if (text == name(sample)) return sample;
  }
  return std::nullopt;
}

std::optional<Sample> sample_of_numpy(std::string_view type) {
  if (type == "u1") return Sample::u8;
  if (type == "b1") return Sample::u8;
  if (type == "u2") return Sample::u16;
  if (type == "u4") return Sample::u32;
  if (type == "i1") return Sample::i8;
  if (type == "i2") return Sample::i16;
  if (type == "i4") return Sample::i32;
  if (type == "u8") return Sample::u64;
  if (type == "i8") return Sample::i64;
  if (type == "f2") return Sample::f16;
  if (type == "f4") return Sample::f32;
  if (type == "f8") return Sample::f64;
  return std::nullopt;
}

const char* numpy_type(Sample voxel) {
  switch (voxel) {
    case Sample::u8:
      return "|u1";
    case Sample::u16:
      return "<u2";
    case Sample::f32:
      return "<f4";
    default:
      return "<f8";
  }
}

Element element_for(Sample sample) {
  switch (sample) {
    case Sample::u8:
      return Element::u8;
    case Sample::u16:
      return Element::u16;
    case Sample::f32:
    case Sample::i8:
    case Sample::i16:
    case Sample::f16:
    case Sample::shifted_i16:
      return Element::f32;
    default:
      return Element::f64;
  }
}

void swap_bytes(Sample sample, std::byte* bytes, std::uint64_t count) {
  const std::size_t width = size_of(sample);
  if (width == 1) return;
  for (std::byte* end = bytes + count * width; bytes != end; bytes += width) std::reverse(bytes, bytes + width);
}

void convert(Sample sample, const std::byte* samples, std::uint64_t count, std::byte* voxels) {
  switch (sample) {
    case Sample::i8:
      return convert_as<std::int8_t, float>(samples, count, voxels);
    case Sample::i16:
      return convert_as<std::int16_t, float>(samples, count, voxels);
    case Sample::u32:
      return convert_as<std::uint32_t, double>(samples, count, voxels);
    case Sample::i32:
      return convert_as<std::int32_t, double>(samples, count, voxels);
    case Sample::f16:
      return convert_halves(samples, count, voxels);
    case Sample::shifted_i16:
      return convert_shifted(samples, count, voxels);
    case Sample::u64:
      return convert_exactly<std::uint64_t>(samples, count, voxels);
    case Sample::i64:
      return convert_exactly<std::int64_t>(samples, count, voxels);
    default:
      std::memcpy(voxels, samples, count * size_of(sample));
  }
}

}  // namespace convoy::io
