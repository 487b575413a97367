// Sums of rows of voxels in double precision, also while they are copied.
#pragma once

#include "common/stream_copy.hpp"
#include "convoy/shape.hpp"

namespace convoy {

/// Several sums side by side: a single one would wait for itself at every voxel.
template <class T>
double sum_of(const T* values, Index count) {
  constexpr Index kLanes = 8;
  double lanes[kLanes] = {};
  Index i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (Index lane = 0; lane < kLanes; ++lane) lanes[lane] += static_cast<double>(values[i + lane]);
  }
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  for (; i < count; ++i) sum += static_cast<double>(values[i]);
  return sum;
}

#if defined(__SSE2__)
/// A step of eight floats, or of four doubles, loaded once for the sums and the copy.
class VectorSums {
 public:
  static constexpr Index voxels_of(float) { return 8; }
  static constexpr Index voxels_of(double) { return 4; }

  template <bool copies>
  void step(const float* from, float* to) {
    const __m128 first = _mm_loadu_ps(from);
    const __m128 second = _mm_loadu_ps(from + 4);
    if constexpr (copies) {
      _mm_stream_ps(to, first);
      _mm_stream_ps(to + 4, second);
    }
    add(0, _mm_cvtps_pd(first));
    add(1, _mm_cvtps_pd(_mm_movehl_ps(first, first)));
    add(2, _mm_cvtps_pd(second));
    add(3, _mm_cvtps_pd(_mm_movehl_ps(second, second)));
  }
  template <bool copies>
  void step(const double* from, double* to) {
    const __m128d first = _mm_loadu_pd(from);
    const __m128d second = _mm_loadu_pd(from + 2);
    if constexpr (copies) {
      _mm_stream_pd(to, first);
      _mm_stream_pd(to + 2, second);
    }
    add(0, first);
    add(1, second);
  }
  double total() const {
    const __m128d sum = _mm_add_pd(_mm_add_pd(lanes_[0], lanes_[1]), _mm_add_pd(lanes_[2], lanes_[3]));
    return _mm_cvtsd_f64(sum) + _mm_cvtsd_f64(_mm_unpackhi_pd(sum, sum));
  }

 private:
  void add(int lane, __m128d values) { lanes_[lane] = _mm_add_pd(lanes_[lane], values); }

  __m128d lanes_[4] = {_mm_setzero_pd(), _mm_setzero_pd(), _mm_setzero_pd(), _mm_setzero_pd()};
};

/// `to` is aligned, unless nothing is copied.
template <bool copies, class Real>
double vector_sum(const Real* from, Index count, Real* to) {
  constexpr Index kStep = VectorSums::voxels_of(Real());
  VectorSums sums;
  Index i = 0;
  for (; i + kStep <= count; i += kStep) sums.step<copies>(from + i, to + i);
  double sum = sums.total();
  for (; i < count; ++i) {
    if constexpr (copies) to[i] = from[i];
    sum += static_cast<double>(from[i]);
  }
  return sum;
}

inline double sum_of(const float* values, Index count) {
  float nothing = 0;
  return vector_sum<false>(values, count, &nothing);
}
#endif

/// stream_copy() that tells the sum of what it copies, for the price of the copy alone. end_stream() as for that.
template <class Real>
double stream_copy_and_sum(Real* to, const Real* from, Index count) {
#if defined(__SSE2__)
  constexpr std::uintptr_t kVector = sizeof(__m128i);
  const std::uintptr_t past = reinterpret_cast<std::uintptr_t>(to) % kVector;
  const Index head = std::min(count, static_cast<Index>((kVector - past) % kVector / sizeof(Real)));
  double sum = 0;
  for (Index i = 0; i < head; ++i) {
    to[i] = from[i];
    sum += static_cast<double>(from[i]);
  }
  return sum + vector_sum<true>(from + head, count - head, to + head);
#else
  stream_copy(to, from, static_cast<std::size_t>(count) * sizeof(Real));
  return sum_of(from, count);
#endif
}

}  // namespace convoy
