// The bodies as C++. Where the device has a grid, C++ has a loop, and `return` must end one thread, so:
//
//   template <class real>
//   void place_kernel_rows(const real* source, real* spectrum, uint size_x, ..., uint thread_y, uint thread_z) {
//     using real2 = Real2<real>;
//     for (uint thread_x = 0; thread_x < size_x; ++thread_x) {
//       [&] {
//   #include "kernels/place_kernel.body"
//       }();
//     }
//   }
//
// with `using namespace convoy::cpp_dialect`. A compiler sees through the lambda and vectorises the loop.
#pragma once

#include <cmath>
#include <cstdint>

namespace convoy::cpp_dialect {

/// 64 bits: slots in host memory may hold more than 2^32 elements.
using uint = std::uint64_t;

template <class real>
real natural_log(real value) {
  return std::log(value);
}

/// Two reals side by side: fftw_complex, std::complex<real> and float2 have the same layout.
template <class real>
struct Real2 {
  real x;
  real y;
};

}  // namespace convoy::cpp_dialect
