#include <fmt/format.h>

#include "kernels/dialects.hpp"

namespace convoy {
namespace {

const char* type_of(KernelBuffer::Kind kind) {
  switch (kind) {
    case KernelBuffer::Kind::real:
      return "real";
    case KernelBuffer::Kind::real2:
      return "real2";
    case KernelBuffer::Kind::u8:
      return "unsigned char";
    case KernelBuffer::Kind::u16:
      return "unsigned short";
    case KernelBuffer::Kind::f32:
      return "float";
    case KernelBuffer::Kind::f64:
      return "double";
  }
  return "";
}

/// to_real and to_voxel, where the kernel has voxels.
std::string conversions(const KernelSpec& kernel) {
  for (const KernelBuffer& buffer : kernel.buffers) {
    if (buffer.kind == KernelBuffer::Kind::real || buffer.kind == KernelBuffer::Kind::real2) continue;
    return fmt::format("#define to_real(voxel) real(voxel)\n#define to_voxel(value) (({})(value))\n",
                       type_of(buffer.kind));
  }
  return "";
}

}  // namespace

std::string to_cuda(const KernelSpec& kernel, Precision precision) {
  const char* const real = precision == Precision::f64 ? "double" : "float";
  std::string arguments;
  for (const KernelBuffer& buffer : kernel.buffers) {
    arguments += fmt::format("{}{}{}* {}", arguments.empty() ? "" : ", ", buffer.writable ? "" : "const ",
                             type_of(buffer.kind), buffer.name);
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
      "{4}"
      "extern \"C\" __global__ void {1}({2}) {{\n"
      "uint thread_x = blockIdx.x * blockDim.x + threadIdx.x;\n"
      "uint thread_y = blockIdx.y * blockDim.y + threadIdx.y;\n"
      "uint thread_z = blockIdx.z * blockDim.z + threadIdx.z;\n"
      "{3}"
      "}}\n",
      real, kernel.name, arguments, kernel.body, conversions(kernel));
}

}  // namespace convoy
