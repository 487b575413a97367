#include "base/row_sums.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#if !defined(__clang__)
// Of headers that leave a vector as it is on purpose (GCC's bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#define CONVOY_WIDE_FACTS
#endif

namespace convoy::inline v0 {
namespace {

RowFacts facts_with_any(const float* values, Index count) {
#if defined(__SSE2__)
  float nothing = 0;
  return vector_facts<false>(values, count, &nothing);
#else
  return facts_of<float>(values, count);
#endif
}

#ifdef CONVOY_WIDE_FACTS
/// What the lanes found, and the voxels behind the last whole step.
template <std::size_t kSums, std::size_t kLanes>
RowFacts collected(const double (&sums)[kSums], const float (&lowest)[kLanes], const float (&highest)[kLanes],
                   const float* rest, const float* end) {
  RowFacts facts;
  for (const double sum : sums) facts.sum += sum;
  facts.lowest = static_cast<double>(*std::min_element(lowest, lowest + kLanes));
  facts.highest = static_cast<double>(*std::max_element(highest, highest + kLanes));
  for (; rest != end; ++rest) facts.add(static_cast<double>(*rest));
  return facts;
}

__attribute__((target("avx2"))) RowFacts facts_with_avx2(const float* values, Index count) {
  constexpr Index kStep = 16;
  if (count < kStep) return facts_with_any(values, count);
  __m256d a = _mm256_setzero_pd(), b = a, c = a, d = a;
  __m256 lowest = _mm256_loadu_ps(values), highest = lowest;
  Index i = 0;
  for (; i + kStep <= count; i += kStep) {
    const __m256 first = _mm256_loadu_ps(values + i), second = _mm256_loadu_ps(values + i + 8);
    a = _mm256_add_pd(a, _mm256_cvtps_pd(_mm256_castps256_ps128(first)));
    b = _mm256_add_pd(b, _mm256_cvtps_pd(_mm256_extractf128_ps(first, 1)));
    c = _mm256_add_pd(c, _mm256_cvtps_pd(_mm256_castps256_ps128(second)));
    d = _mm256_add_pd(d, _mm256_cvtps_pd(_mm256_extractf128_ps(second, 1)));
    lowest = _mm256_min_ps(lowest, _mm256_min_ps(first, second));
    highest = _mm256_max_ps(highest, _mm256_max_ps(first, second));
  }
  double sums[4];
  float low[8], high[8];
  _mm256_storeu_pd(sums, _mm256_add_pd(_mm256_add_pd(a, b), _mm256_add_pd(c, d)));
  _mm256_storeu_ps(low, lowest);
  _mm256_storeu_ps(high, highest);
  return collected(sums, low, high, values + i, values + count);
}

__attribute__((target("avx512f"))) RowFacts facts_with_avx512(const float* values, Index count) {
  constexpr Index kStep = 32;
  if (count < kStep) return facts_with_any(values, count);
  __m512d a = _mm512_setzero_pd(), b = a, c = a, d = a;
  __m512 lowest = _mm512_loadu_ps(values), highest = lowest;
  Index i = 0;
  for (; i + kStep <= count; i += kStep) {
    const __m512 first = _mm512_loadu_ps(values + i), second = _mm512_loadu_ps(values + i + 16);
    a = _mm512_add_pd(a, _mm512_cvtps_pd(_mm256_loadu_ps(values + i)));
    b = _mm512_add_pd(b, _mm512_cvtps_pd(_mm256_loadu_ps(values + i + 8)));
    c = _mm512_add_pd(c, _mm512_cvtps_pd(_mm256_loadu_ps(values + i + 16)));
    d = _mm512_add_pd(d, _mm512_cvtps_pd(_mm256_loadu_ps(values + i + 24)));
    lowest = _mm512_min_ps(lowest, _mm512_min_ps(first, second));
    highest = _mm512_max_ps(highest, _mm512_max_ps(first, second));
  }
  RowFacts facts{_mm512_reduce_add_pd(_mm512_add_pd(_mm512_add_pd(a, b), _mm512_add_pd(c, d))),
                 static_cast<double>(_mm512_reduce_min_ps(lowest)), static_cast<double>(_mm512_reduce_max_ps(highest))};
  for (; i < count; ++i) facts.add(static_cast<double>(values[i]));
  return facts;
}
#endif

using FactsFunction = RowFacts (*)(const float* values, Index count);

/// For the vector units that this processor has.
FactsFunction best_facts() {
#ifdef CONVOY_WIDE_FACTS
  if (__builtin_cpu_supports("avx512f")) return facts_with_avx512;
  if (__builtin_cpu_supports("avx2")) return facts_with_avx2;
#endif
  return facts_with_any;
}

}  // namespace

RowFacts facts_of(const float* values, Index count) {
  static const FactsFunction best = best_facts();
  return best(values, count);
}

}  // namespace convoy::inline v0
