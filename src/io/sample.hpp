// Numbers as files store them, and their way into the kinds of voxel that convoy computes with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include "convoy/image.hpp"

namespace convoy::io {

/// First those of Element, with its numbers. shifted_i16 is stored as an unsigned number that is larger by 32768.
enum class Sample {
  u8 = static_cast<int>(Element::u8),
  u16 = static_cast<int>(Element::u16),
  f32 = static_cast<int>(Element::f32),
  f64 = static_cast<int>(Element::f64),
  i8 = static_cast<int>(Element::i8),
  i16 = static_cast<int>(Element::i16),
  u32 = static_cast<int>(Element::u32),
  i32 = static_cast<int>(Element::i32),
  f16 = static_cast<int>(Element::f16),
  bf16 = static_cast<int>(Element::bf16),
  c64 = static_cast<int>(Element::c64),
  c128 = static_cast<int>(Element::c128),
  u64 = static_cast<int>(kElements.size()),
  i64,
  shifted_i16
};

/// A 64 bit integer that f64 does not hold exactly.
class InexactVoxel : public std::exception {};

std::size_t size_of(Sample sample);
/// "u8", "i16" ...
const char* name(Sample sample);
/// The one of that name.
std::optional<Sample> sample_named(std::string_view name);
/// NumPy's names: "u2" to a sample ("b1", its truth values, are u8), and an element's "<u2". The latter throws
/// Error(invalid_argument) for bf16, which NumPy has no name for.
std::optional<Sample> sample_of_numpy(std::string_view type);
std::string numpy_type(Element element);
/// The voxel that holds every value of the sample exactly; of 64 bit integers those up to 2^53.
Element element_for(Sample sample);
/// The sample that is the voxel's own bytes.
inline Sample sample_for(Element element) { return static_cast<Sample>(element); }
/// Whether sample and voxel are the same bytes.
inline bool is_stored_as_is(Sample sample) { return sample < Sample::u64; }

/// Reverses the bytes of each of `count` samples, of complex ones those of either part.
void swap_bytes(Sample sample, std::byte* bytes, std::uint64_t count);
/// Writes `count` voxels of element_for(sample). The two must not overlap. Throws InexactVoxel.
void convert(Sample sample, const std::byte* samples, std::uint64_t count, std::byte* voxels);

/// What convoy reads, for error messages.
inline constexpr const char* kReadableSamples =
    "convoy reads integers of 8 to 64 bit, truth values, floats of 16, 32 and 64 bit, and complex numbers of such of "
    "32 "
    "and 64 bit, one sample per voxel";

}  // namespace convoy::io
