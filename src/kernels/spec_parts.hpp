// What specs of kernels are written with.
#pragma once

#include <string>
#include <vector>

#include "kernels/kernel_spec.hpp"

namespace convoy::kernels {

inline constexpr auto u32 = KernelSpec::Parameter::Kind::u32;
inline constexpr auto f32 = KernelSpec::Parameter::Kind::f32;

inline KernelBuffer read(const char* name, KernelBuffer::Kind kind = KernelBuffer::Kind::real) {
  return {name, kind, false};
}
inline KernelBuffer write(const char* name, KernelBuffer::Kind kind = KernelBuffer::Kind::real) {
  return {name, kind, true};
}

using Parameters = std::vector<KernelSpec::Parameter>;

inline Parameters per_axis(const std::string& name) {
  return {{name + "_x", u32}, {name + "_y", u32}, {name + "_z", u32}};
}

inline Parameters joined(const std::vector<Parameters>& parts) {
  Parameters all;
  for (const Parameters& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

/// Of kernels over elements one by one.
inline Parameters elements() { return {{"count", u32}, {"row", u32}}; }
/// Of first stages of sums over them.
inline Parameters strides() {
  return joined({elements(), {{"num_threads", u32}, {"thread_stride", u32}, {"num_steps", u32}, {"step_stride", u32}}});
}

}  // namespace convoy::kernels
