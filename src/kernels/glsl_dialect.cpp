#include <fmt/format.h>

#include <cctype>
#include <set>

#include "kernels/dialects.hpp"
#include "kernels/voxel_conversions.hpp"

namespace convoy::inline v0 {
namespace {

const char* glsl_type(Element voxel) {
  switch (voxel) {
    case Element::u8:
      return "uint8_t";
    case Element::u16:
      return "uint16_t";
    case Element::f32:
      return "float";
    case Element::f64:
      return "double";
    case Element::i8:
      return "int8_t";
    case Element::i16:
      return "int16_t";
    case Element::u32:
      return "uint";
    case Element::i32:
      return "int";
    case Element::f16:
    case Element::bf16:
      return "uint16_t";
    case Element::c64:
    case Element::c128:
      break;  // no kernel has buffers of them
  }
  return "";
}

const ConversionWords kGlslWords{"", "uintBitsToFloat", "floatBitsToUint",
                                 [](Element element) { return std::string(glsl_type(element)); }};

/// Integers of 8 and 16 bits, which can be stored but not computed with. f16 and bf16 are among them here.
std::string storage_extensions(const KernelSpec& kernel) {
  std::set<std::size_t> sizes;
  for (const KernelBuffer* voxels : voxels_of(kernel)) sizes.insert(size_of(voxels->element));
  std::string text;
  for (const std::size_t size : sizes) {
    if (size <= 2) text += fmt::format("#extension GL_EXT_shader_{}bit_storage : require\n", 8 * size);
  }
  return text;
}

}  // namespace

std::string with_doubles(std::string body, const std::string& suffix) {
  std::string text;
  std::size_t copied = 0;
  for (std::size_t at = body.find("_d"); at != std::string::npos; at = body.find("_d", at + 1)) {
    const bool ends_number = at > 0 && body[at - 1] >= '0' && body[at - 1] <= '9';
    const bool ends_word = at + 2 == body.size() || std::isalnum(static_cast<unsigned char>(body[at + 2])) == 0;
    if (!ends_number || !ends_word) continue;
    text += body.substr(copied, at - copied) + suffix;
    copied = at + 2;
  }
  return text + body.substr(copied);
}

std::string to_glsl(const KernelSpec& kernel, Precision precision) {
  const bool is_double = precision == Precision::f64;
  std::string text = fmt::format(
      "#version 450\n"
      "{}"
      "#define rint roundEven\n"
      "#define real {}\n"
      "#define real2 {}\n"
      "#define natural_log(value) real(log(float(value)))\n"
      "{}"
      "layout(local_size_x = {}, local_size_y = {}, local_size_z = {}) in;\n",
      storage_extensions(kernel), is_double ? "double" : "float", is_double ? "dvec2" : "vec2",
      voxel_conversions(kernel, kGlslWords), kernel.workgroup[0], kernel.workgroup[1], kernel.workgroup[2]);
  int binding = 0;
  for (const KernelBuffer& buffer : kernel.buffers) {
    text += fmt::format("layout(std430, set = 0, binding = {0}) {1}buffer Buffer{0} {{ {2} {3}[]; }};\n", binding++,
                        buffer.writable ? "" : "readonly ", type_of(buffer, "uint", glsl_type), buffer.name);
  }
  if (!kernel.parameters.empty()) text += "layout(push_constant) uniform Parameters {\n";  // GLSL has no empty blocks
  for (const KernelSpec::Parameter& parameter : kernel.parameters) {
    text += fmt::format("  {} {};\n", parameter.kind == KernelSpec::Parameter::Kind::u32 ? "uint" : "float",
                        parameter.name);
  }
  if (!kernel.parameters.empty()) text += "};\n";
  if (kernel.num_shared > 0) {
    text += fmt::format(
        "#define wide uint\n"
        "#define to_real2(x, y) real2(x, y)\n"
        "#define CURSOR(buffer, name, first) uint name = first\n"
        "#define ELEMENT(buffer, name, offset) buffer[name + offset]\n"
        "#define FETCH(buffer, name, offset) buffer[name + offset]\n"
        "#define LOAD_STREAMING(buffer, name, offset) buffer[name + offset]\n"
        "#define STORE_STREAMING(buffer, name, offset, value) buffer[name + offset] = value\n"
        "#define IS_PAIR_ALIGNED(buffer) false\n"
        "#define STORE_PAIR(buffer, name, offset, x, y)\n"
        "#define KEEP_CURSOR(name)\n"
        "#define LOAD_KEPT(buffer, name, offset) buffer[name + offset]\n"
        "#define PREFETCH(buffer, first)\n"
        "#define await_predecessor()\n"
        "#define low_bits(x) {}\n"
        "#define group_barrier() barrier()\n"
        "#define local_x gl_LocalInvocationID.x\n"
        "#define local_y gl_LocalInvocationID.y\n"
        "#define group_x gl_WorkGroupID.x\n"
        "#define group_y gl_WorkGroupID.y\n"
        "#define group_z gl_WorkGroupID.z\n"
        "shared real2 shared_values[{}];\n",
        is_double ? "uint(x)" : "(floatBitsToUint(x) & 0x7fffffu)", kernel.num_shared);
  }
  text +=
      "void main() {\n"
      "uint thread_x = gl_GlobalInvocationID.x;\n"
      "uint thread_y = gl_GlobalInvocationID.y;\n"
      "uint thread_z = gl_GlobalInvocationID.z;\n";
  return indented(text + with_doubles(kernel.body, "lf") + "}\n");
}

}  // namespace convoy::inline v0
