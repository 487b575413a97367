#include "backends/cpu/cpu_kernels.hpp"

#include <fmt/format.h>

#include <bit>

#include "convoy/error.hpp"
#include "kernels/cpp_dialect.hpp"

namespace convoy::backend::cpu {
namespace {

using cpp_dialect::uint;

template <class real>
void place_kernel_row(const std::vector<void*>& buffers, const std::vector<KernelParameter>& p, uint threads_x,
                      uint thread_y, uint thread_z) {
  const real* source = static_cast<const real*>(buffers[0]);
  real* spectrum = static_cast<real*>(buffers[1]);
  const uint size_x = p[0].bits, size_y = p[1].bits, size_z = p[2].bits;
  const uint shift_x = p[3].bits, shift_y = p[4].bits, shift_z = p[5].bits;
  const uint padded_x = p[6].bits, padded_y = p[7].bits, padded_z = p[8].bits;
  const uint pitch = p[9].bits, plane_rows = p[10].bits;
  for (uint thread_x = 0; thread_x < threads_x; ++thread_x) {
    [&] {
#include "kernels/place_kernel.body"
    }();
  }
}

template <class real>
void multiply_spectrum_row(const std::vector<void*>& buffers, const std::vector<KernelParameter>& p, uint threads_x,
                           uint thread_y, uint) {
  using real2 = cpp_dialect::Real2<real>;
  const real2* spectrum = static_cast<const real2*>(buffers[0]);
  real2* work = static_cast<real2*>(buffers[1]);
  const uint count = p[0].bits, row = p[1].bits;
  const float scale = std::bit_cast<float>(p[2].bits), sign = std::bit_cast<float>(p[3].bits);
  for (uint thread_x = 0; thread_x < threads_x; ++thread_x) {
    [&] {
#include "kernels/multiply_spectrum.body"
    }();
  }
}

using Row = void (*)(const std::vector<void*>&, const std::vector<KernelParameter>&, uint, uint, uint);

template <class real>
Row row_function(const KernelSpec& kernel) {
  if (&kernel == &kernels::place_kernel) return place_kernel_row<real>;
  if (&kernel == &kernels::multiply_spectrum) return multiply_spectrum_row<real>;
  throw Error(Errc::unsupported, fmt::format("the CPU backend has no kernel named {}", kernel.name));
}

}  // namespace

void run_kernel(const Dispatch& dispatch, const std::vector<void*>& buffers, WorkerPool& pool) {
  const Row row = dispatch.precision == Precision::f32 ? row_function<float>(*dispatch.kernel)
                                                       : row_function<double>(*dispatch.kernel);
  const auto [threads_x, threads_y, threads_z] = dispatch.threads;
  pool.for_each(static_cast<std::int64_t>(threads_y * threads_z), 16, [&](int, std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      row(buffers, dispatch.parameters, threads_x, static_cast<uint>(i) % threads_y, static_cast<uint>(i) / threads_y);
    }
  });
}

}  // namespace convoy::backend::cpu
