#include <fmt/format.h>

#include "kernels/dialects.hpp"

namespace convoy {

std::string to_cuda(const KernelSpec& kernel, Precision precision) {
  const char* const real = precision == Precision::f64 ? "double" : "float";
  std::string arguments;
  for (const KernelBuffer& buffer : kernel.buffers) {
    arguments += fmt::format("{}{}{}* {}", arguments.empty() ? "" : ", ", buffer.writable ? "" : "const ",
                             buffer.kind == KernelBuffer::Kind::real ? "real" : "real2", buffer.name);
  }
  for (const KernelSpec::Parameter& parameter : kernel.parameters) {
    arguments +=
        fmt::format(", {} {}", parameter.kind == KernelSpec::Parameter::Kind::u32 ? "uint" : "float", parameter.name);
  }
  return fmt::format(
      "typedef unsigned int uint;\n"
      "typedef {0} real;\n"
      "typedef {0}2 real2;\n"
      "#define natural_log(value) log(value)\n"
      "extern \"C\" __global__ void {1}({2}) {{\n"
      "uint thread_x = blockIdx.x * blockDim.x + threadIdx.x;\n"
      "uint thread_y = blockIdx.y * blockDim.y + threadIdx.y;\n"
      "uint thread_z = blockIdx.z * blockDim.z + threadIdx.z;\n"
      "{3}"
      "}}\n",
      real, kernel.name, arguments, kernel.body);
}

}  // namespace convoy
