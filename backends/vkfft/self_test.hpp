// The self-test of a loaded convolution. VkFFT's faults give wrong numbers and no error, so the very plan that will be
// used convolves two sparse patterns whose result is known exactly, in the program's own slots, before it is trusted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "program/program.hpp"

namespace convoy::inline v0 {

struct Impulse {
  std::uint64_t index = 0;  ///< in reals from the slot's start
  double value = 0;
};

/// What the test needs done; each action is complete when it returns.
struct SelfTestActions {
  std::function<void(const std::vector<Impulse>&)> set_image;     ///< zero but for the impulses
  std::function<void(const std::vector<Impulse>&)> set_spectrum;  ///< zero but for the impulses
  std::function<void()> poison_work;                              ///< NaN in every element
  std::function<void()> transform_kernel;
  std::function<void()> convolve;
  std::function<void(std::uint64_t offset_bytes, std::span<std::byte>)> read_image;
};

/// Throws Error(unsupported) with the figures if any voxel of the result is wrong. The verdict is kept in the
/// plan cache under `device` (which must name driver and device), geometry and direction. `conjugate`: the convolve
/// action is with the conjugate spectrum.
void require_self_test(const std::string& device, const FftGeometry& geometry, bool conjugate,
                       const SelfTestActions& actions);

/// "f32 fused convolution, 40x39x20 in 64x60x28, row pitch 33 (device order), access 64 B, 0 threads".
std::string to_text(const FftGeometry& geometry);

}  // namespace convoy::v0
