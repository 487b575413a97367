#include <fmt/format.h>

#include "kernels/dialects.hpp"

namespace convoy {

std::string to_glsl(const KernelSpec& kernel, Precision precision) {
  const bool is_double = precision == Precision::f64;
  std::string text = fmt::format(
      "#version 450\n"
      "#define real {}\n"
      "#define real2 {}\n"
      "#define natural_log(value) real(log(float(value)))\n"
      "layout(local_size_x = {}, local_size_y = {}, local_size_z = {}) in;\n",
      is_double ? "double" : "float", is_double ? "dvec2" : "vec2", kWorkgroup[0], kWorkgroup[1], kWorkgroup[2]);
  int binding = 0;
  for (const KernelBuffer& buffer : kernel.buffers) {
    text += fmt::format("layout(std430, set = 0, binding = {0}) {1}buffer Buffer{0} {{ {2} {3}[]; }};\n", binding++,
                        buffer.writable ? "" : "readonly ", buffer.kind == KernelBuffer::Kind::real ? "real" : "real2",
                        buffer.name);
  }
  text += "layout(push_constant) uniform Parameters {\n";
  for (const KernelSpec::Parameter& parameter : kernel.parameters) {
    text += fmt::format("  {} {};\n", parameter.kind == KernelSpec::Parameter::Kind::u32 ? "uint" : "float",
                        parameter.name);
  }
  text +=
      "};\n"
      "void main() {\n"
      "uint thread_x = gl_GlobalInvocationID.x;\n"
      "uint thread_y = gl_GlobalInvocationID.y;\n"
      "uint thread_z = gl_GlobalInvocationID.z;\n";
  return text + kernel.body + "}\n";
}

}  // namespace convoy
