#include "kernels/voxel_conversions.hpp"

#include <fmt/format.h>

namespace convoy::inline v0 {
namespace {

/// As Float16 does on the host. Smaller than the smallest normal number are multiples of 2^-24.
constexpr const char* kHalfToReal = R"({0}real half_to_real(uint bits) {{
  uint exponent = (bits >> 10) & 31u;
  uint fraction = bits & 1023u;
  float magnitude = float(fraction) * 5.9604644775390625e-8f;
  if (exponent != 0u) magnitude = {1}(((exponent == 31u ? 255u : exponent + 112u) << 23) | (fraction << 13));
  return real((bits & 32768u) != 0u ? -magnitude : magnitude);
}}
)";
constexpr const char* kRealToHalf = R"({0}uint real_to_half(real value) {{
  uint bits = {2}(float(value));
  uint sign = (bits >> 16) & 32768u;
  real magnitude = value < real(0) ? -value : value;
  if (!(magnitude < real(65520))) return sign | (isnan(value) ? 32256u : 31744u);
  int exponent = int((bits >> 23) & 255u) - 127;
  if (exponent < -14) exponent = -14;
  real steps = rint(magnitude * real({1}(uint(137 - exponent) << 23)));
  return sign | (uint(steps) + uint(exponent + 14) * 1024u);
}}
)";

/// As BFloat16 does on the host. Where the float of a double is a tie, the double itself decides.
constexpr const char* kBrainToReal = R"({0}real brain_to_real(uint bits) {{
  return real({1}(bits << 16));
}}
)";
constexpr const char* kRealToBrain = R"({0}uint real_to_brain(real value) {{
  uint bits = {2}(float(value));
  uint sign = (bits >> 16) & 32768u;
  if (isnan(value)) return sign | 32704u;
  uint upper = (bits >> 16) & 32767u;
  uint lower = bits & 65535u;
  if (lower == 32768u) {{
    real magnitude = value < real(0) ? -value : value;
    real middle = real({1}((upper << 16) | 32768u));
    if (magnitude > middle || (magnitude == middle && (upper & 1u) != 0u)) upper += 1u;
  }}
  if (lower > 32768u) upper += 1u;
  return sign | upper;
}}
)";

constexpr const char* kClipped = R"({0}{1} clipped(real value) {{
  real rounded = rint(value);
  if (rounded >= real({2})) return {3};
  if (rounded < real({4})) return {5};
  return isnan(rounded) ? {1}(0) : {1}(rounded);
}}
)";

const char* whole_type(const ElementFacts& facts) { return facts.kind == NumberKind::signed_integer ? "int" : "uint"; }

std::string text_of_half(const char* text, const ConversionWords& words) {
  return fmt::format(fmt::runtime(text), words.function, words.bits_to_float, words.float_to_bits);
}

std::string to_real(Element element, const ConversionWords& words) {
  if (element == Element::f16) {
    return text_of_half(kHalfToReal, words) + "#define to_real(voxel) half_to_real(uint(voxel))\n";
  }
  if (element == Element::bf16) {
    return text_of_half(kBrainToReal, words) + "#define to_real(voxel) brain_to_real(uint(voxel))\n";
  }
  if (is_floating(element)) return "#define to_real(voxel) real(voxel)\n";
  return fmt::format("#define to_real(voxel) real({}(voxel))\n", whole_type(facts_of(element)));
}

std::string clipped(const ElementFacts& facts, const ConversionWords& words) {
  const bool is_signed = facts.kind == NumberKind::signed_integer;
  const auto whole = [](double value) { return fmt::format("{:.0f}", value); };
  const std::string highest = whole(facts.highest) + (is_signed ? "" : "u");
  const std::string lowest = is_signed ? fmt::format("-{:.0f} - 1", facts.highest) : "0u";
  return fmt::format(fmt::runtime(kClipped), words.function, whole_type(facts), whole(facts.highest + 1) + ".0",
                     highest, whole(facts.lowest) + ".0", lowest);
}

std::string to_voxel(Element element, const ConversionWords& words) {
  const auto defined = [&](const char* number) {
    return fmt::format("#define to_voxel(value) ({}({}))\n", words.cast_to(element), number);
  };
  if (element == Element::f16) return text_of_half(kRealToHalf, words) + defined("real_to_half(value)");
  if (element == Element::bf16) return text_of_half(kRealToBrain, words) + defined("real_to_brain(value)");
  if (is_floating(element)) return defined("value");
  return clipped(facts_of(element), words) + defined("clipped(value)");
}

}  // namespace

std::vector<const KernelBuffer*> voxels_of(const KernelSpec& kernel) {
  std::vector<const KernelBuffer*> voxels;
  for (const KernelBuffer& buffer : kernel.buffers) {
    if (buffer.kind == KernelBuffer::Kind::voxel) voxels.push_back(&buffer);
  }
  return voxels;
}

const char* type_of(const KernelBuffer& buffer, const char* count, const char* (*type_of_voxel)(Element)) {
  switch (buffer.kind) {
    case KernelBuffer::Kind::real:
      return "real";
    case KernelBuffer::Kind::real2:
      return "real2";
    case KernelBuffer::Kind::count:
      return count;
    case KernelBuffer::Kind::voxel:
      return type_of_voxel(buffer.element);
  }
  return "";
}

std::string voxel_conversions(const KernelSpec& kernel, const ConversionWords& words) {
  std::string text;
  for (const KernelBuffer* voxels : voxels_of(kernel)) {
    text += voxels->writable ? to_voxel(voxels->element, words) : to_real(voxels->element, words);
  }
  return text;
}

}  // namespace convoy::inline v0
