// Element-wise kernels, written once. Signature is data; the body is text that is legal in CUDA C, HIP, GLSL and C++.
//
// Rules for a body (tests/kernels compiles every body in every dialect that is present):
//   types uint, int, real, real2 (real is float or double as the program's precision says); functional casts only;
//   no pointers, no 64-bit integers, no preprocessor lines; begins by returning outside the grid; natural_log(real) is
//   a function of every dialect (single precision is all that GLSL has of it);
//   thread_x, thread_y, thread_z are the thread's place. Sizes are parameters, so each kernel is compiled once.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace convoy {

struct KernelBuffer {
  std::string name;
  enum class Kind { real, real2 } kind = Kind::real;
  bool writable = false;
};

/// 4 bytes: an unsigned integer or the bits of a float. At most 32 per kernel (Vulkan's guaranteed push constants).
struct KernelParameter {
  std::uint32_t bits = 0;
};
KernelParameter parameter(std::uint32_t value);
KernelParameter parameter(float value);

struct KernelSpec {
  std::string name;
  std::vector<KernelBuffer> buffers;
  struct Parameter {
    std::string name;
    enum class Kind { u32, f32 } kind = Kind::u32;
  };
  std::vector<Parameter> parameters;
  std::string body;
};

/// Threads of a workgroup (a block in CUDA and HIP), the same on every device.
inline constexpr std::array<std::uint32_t, 3> kWorkgroup{64, 4, 1};

/// Workgroups that cover a grid of threads.
std::array<std::uint64_t, 3> num_groups(const std::array<std::uint64_t, 3>& threads);

namespace kernels {
/// Puts a box of kernel voxels (size_z, size_y, size_x; tight) into the zeroed spectrum slot, as reals in rows of
/// `pitch` and planes of `plane_rows` rows, at (place + shift) mod padded on every axis.
/// buffers: source, spectrum. parameters: size_x, size_y, size_z, shift_x, shift_y, shift_z, padded_x, padded_y,
/// padded_z, pitch, plane_rows. threads: size.
extern const KernelSpec place_kernel;
/// work[i] *= spectrum[i] * scale, complex, for i < count = thread_x + thread_y * row; with sign -1 instead of 1 the
/// spectrum is conjugated. buffers: spectrum, work. parameters: count, row, scale, sign.
extern const KernelSpec multiply_spectrum;
/// All of them, for tests that compile everything.
const std::vector<const KernelSpec*>& all();
}  // namespace kernels

}  // namespace convoy
