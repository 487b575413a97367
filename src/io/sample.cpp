#include "io/sample.hpp"

#include <algorithm>
#include <cstring>

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

}  // namespace

std::size_t size_of(Sample sample) {
  switch (sample) {
    case Sample::u8:
    case Sample::i8:
      return 1;
    case Sample::u16:
    case Sample::i16:
      return 2;
    case Sample::f64:
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
  }
  return "unknown";
}

std::optional<Sample> sample_named(std::string_view text) {
  for (const Sample sample :
       {Sample::u8, Sample::u16, Sample::f32, Sample::f64, Sample::i8, Sample::i16, Sample::u32, Sample::i32}) {
    if (text == name(sample)) return sample;
  }
  return std::nullopt;
}

std::optional<Sample> sample_of_numpy(std::string_view type) {
  if (type == "u1") return Sample::u8;
  if (type == "u2") return Sample::u16;
  if (type == "u4") return Sample::u32;
  if (type == "i1") return Sample::i8;
  if (type == "i2") return Sample::i16;
  if (type == "i4") return Sample::i32;
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
    default:
      std::memcpy(voxels, samples, count * size_of(sample));
  }
}

}  // namespace convoy::io
