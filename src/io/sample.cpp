#include "io/sample.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "convoy/error.hpp"

namespace convoy::io {
namespace {

void convert_shifted(const std::byte* samples, std::uint64_t count, std::byte* voxels) {
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint16_t stored = 0;
    std::memcpy(&stored, samples + i * sizeof stored, sizeof stored);
    const auto voxel = static_cast<std::int16_t>(stored - 32768);
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
    const auto voxel = static_cast<double>(value);
    std::memcpy(voxels + i * sizeof voxel, &voxel, sizeof voxel);
  }
}

constexpr Sample kSamples[] = {Sample::u8,  Sample::u16,  Sample::f32, Sample::f64, Sample::i8,
                               Sample::i16, Sample::u32,  Sample::i32, Sample::f16, Sample::bf16,
                               Sample::c64, Sample::c128, Sample::u64, Sample::i64};

/// "u2": kind and bytes. Empty if NumPy has no such type.
std::string numpy_letters(Sample sample) {
  if (sample == Sample::u64) return "u8";
  if (sample == Sample::i64) return "i8";
  const ElementFacts& facts = facts_of(element_for(sample));
  if (facts.element == Element::bf16) return "";
  const char* const kinds = "uifc";
  return kinds[static_cast<std::size_t>(facts.kind)] + std::to_string(facts.bytes);
}

}  // namespace

std::size_t size_of(Sample sample) {
  if (is_stored_as_is(sample)) return convoy::size_of(element_for(sample));
  return sample == Sample::shifted_i16 ? 2 : 8;
}

const char* name(Sample sample) {
  if (sample == Sample::u64) return "u64";
  if (sample == Sample::i64) return "i64";
  return convoy::name(element_for(sample));
}

std::optional<Sample> sample_named(std::string_view text) {
  for (const Sample sample : kSamples) {
    if (text == name(sample)) return sample;
  }
  return std::nullopt;
}

std::optional<Sample> sample_of_numpy(std::string_view type) {
  if (type == "b1") return Sample::u8;
  for (const Sample sample : kSamples) {
    if (!type.empty() && type == numpy_letters(sample)) return sample;
  }
  return std::nullopt;
}

std::string numpy_type(Element element) {
  const std::string letters = numpy_letters(sample_for(element));
  if (letters.empty()) {
    throw Error(
        Errc::invalid_argument,
        fmt::format("NumPy, and Zarr version 2 with it, has no type for {}: take f16 or f32, or a .zarr of version "
                    "3 (--ome-zarr 0.5)",
                    convoy::name(element)));
  }
  return (convoy::size_of(element) == 1 ? "|" : "<") + letters;
}

Element element_for(Sample sample) {
  switch (sample) {
    case Sample::u64:
    case Sample::i64:
      return Element::f64;
    case Sample::shifted_i16:
      return Element::i16;
    case Sample::u8:
    case Sample::u16:
    case Sample::f32:
    case Sample::f64:
    case Sample::i8:
    case Sample::i16:
    case Sample::u32:
    case Sample::i32:
    case Sample::f16:
    case Sample::bf16:
    case Sample::c64:
    case Sample::c128:
      break;
  }
  return static_cast<Element>(sample);
}

void swap_bytes(Sample sample, std::byte* bytes, std::uint64_t count) {
  std::size_t width = size_of(sample);
  if (is_stored_as_is(sample) && is_complex(element_for(sample))) {
    width /= 2;
    count *= 2;
  }
  if (width == 1) return;
  for (std::byte* end = bytes + count * width; bytes != end; bytes += width) std::reverse(bytes, bytes + width);
}

void convert(Sample sample, const std::byte* samples, std::uint64_t count, std::byte* voxels) {
  switch (sample) {
    case Sample::shifted_i16:
      return convert_shifted(samples, count, voxels);
    case Sample::u64:
      return convert_exactly<std::uint64_t>(samples, count, voxels);
    case Sample::i64:
      return convert_exactly<std::int64_t>(samples, count, voxels);
    case Sample::u8:
    case Sample::u16:
    case Sample::f32:
    case Sample::f64:
    case Sample::i8:
    case Sample::i16:
    case Sample::u32:
    case Sample::i32:
    case Sample::f16:
    case Sample::bf16:
    case Sample::c64:
    case Sample::c128:
      std::memcpy(voxels, samples, count * size_of(sample));
  }
}

}  // namespace convoy::io
