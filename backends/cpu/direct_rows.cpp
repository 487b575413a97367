#include "backends/cpu/direct_rows.hpp"

namespace convoy::backend::cpu {

namespace base {
template <class Real>
void run(const DirectRows<Real>& task, std::int64_t begin, std::int64_t end);
}
namespace avx2 {
template <class Real>
void run(const DirectRows<Real>& task, std::int64_t begin, std::int64_t end);
}
namespace avx512 {
template <class Real>
void run(const DirectRows<Real>& task, std::int64_t begin, std::int64_t end);
}

template <class Real>
DirectRowsFunction<Real> direct_rows() {
#ifdef CONVOY_DIRECT_AVX
  static const DirectRowsFunction<Real> best = [] {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) return avx512::run<Real>;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2::run<Real>;
    return base::run<Real>;
  }();
  return best;
#else
  return base::run<Real>;
#endif
}

template DirectRowsFunction<float> direct_rows();
template DirectRowsFunction<double> direct_rows();

}  // namespace convoy::backend::cpu
