// Types of buffers, and to_real(voxel) and to_voxel(real) of a caller's array, as text of a dialect.
#pragma once

#include <string>
#include <vector>

#include "kernels/kernel_spec.hpp"

namespace convoy::inline v0 {

/// What C and GLSL call differently.
struct ConversionWords {
  const char* function;       ///< before the type of a function
  const char* bits_to_float;  ///< the float of a uint's bits
  const char* float_to_bits;
  std::string (*cast_to)(
      Element);  ///< before a number in brackets: to a voxel's type, of f16 and bf16 an integer of 16 bits
};

/// What a buffer's elements are called: "real", "real2", as `count` says, or as type_of_voxel does.
const char* type_of(const KernelBuffer& buffer, const char* count, const char* (*type_of_voxel)(Element));

/// Macros and functions, which need `real`, `uint` and `rint`: to_real for the buffer of voxels that the kernel reads,
/// to_voxel for the one it writes. f16 and bf16 are packed and unpacked by arithmetic, which rounds alike everywhere
/// and needs no header of a vendor.
std::string voxel_conversions(const KernelSpec& kernel, const ConversionWords& words);

/// The buffers of voxels: at most one that is read and one that is written.
std::vector<const KernelBuffer*> voxels_of(const KernelSpec& kernel);

}  // namespace convoy::inline v0
