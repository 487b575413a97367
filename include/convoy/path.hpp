// The ways in which a device can convolve a tile.
#pragma once

#include <optional>
#include <string>

#include "convoy/export.h"

namespace convoy::inline v0 {

/// How the device does one tile.
enum class Path {
  native,  ///< convoy's own transform passes, which pad, multiply and crop while they are at it; memory as fused
  fused,  ///< the same by VkFFT on GPUs, by FFTW on the CPU: padding, product and cropping inside the transform passes;
          ///< the work buffer holds no padding of the last axis
  staged,    ///< one plan per axis and an own product; the work buffer holds the whole padded tile
  direct,    ///< Method::direct: no transform, the sum over the kernel's voxels
  separable  ///< Method::separable: no transform, sums along the axes
};
CONVOY_API const char* name(Path path);
/// Whether it transforms nothing: Method::direct or Method::separable.
constexpr bool sums_directly(Path path) { return path == Path::direct || path == Path::separable; }
/// "native", "fused" or "staged", and nothing for "auto". Throws Error(invalid_argument) for other words.
CONVOY_API std::optional<Path> path_from_text(const std::string& text);

}  // namespace convoy::inline v0
