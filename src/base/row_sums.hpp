// Sums and extremes of rows of voxels, also while they are copied.
#pragma once

#include <algorithm>
#include <limits>

#include "base/stream_copy.hpp"
#include "convoy/shape.hpp"

namespace convoy::inline v0 {

/// What a row of voxels holds. A NaN or infinity makes the sum one; the extremes then mean nothing.
struct RowFacts {
  double sum = 0;
  double lowest = std::numeric_limits<double>::infinity();
  double highest = -std::numeric_limits<double>::infinity();

  void add(double value) {
    sum += value;
    lowest = std::min(lowest, value);
    highest = std::max(highest, value);
  }
  void add(const RowFacts& part) {
    sum += part.sum;
    lowest = std::min(lowest, part.lowest);
    highest = std::max(highest, part.highest);
  }
};

/// Several sums side by side: a single one would wait for itself at every voxel.
template <class T>
RowFacts facts_of(const T* values, Index count) {
  constexpr Index kLanes = 8;
  RowFacts facts;
  if (count == 0) return facts;
  double lanes[kLanes] = {};
  T lowest[kLanes];
  T highest[kLanes];
  std::fill_n(lowest, kLanes, values[0]);
  std::fill_n(highest, kLanes, values[0]);
  Index i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (Index lane = 0; lane < kLanes; ++lane) {
      const T value = values[i + lane];
      lanes[lane] += static_cast<double>(value);
      lowest[lane] = value < lowest[lane] ? value : lowest[lane];
      highest[lane] = value > highest[lane] ? value : highest[lane];
    }
  }
  for (Index lane = 0; lane < kLanes; ++lane) {
    facts.add({lanes[lane], static_cast<double>(lowest[lane]), static_cast<double>(highest[lane])});
  }
  for (; i < count; ++i) facts.add(static_cast<double>(values[i]));
  return facts;
}

#if defined(__SSE2__)
/// The vector instructions for one kind of real, in steps of `kStep` that are loaded once for facts and copy.
template <class Real>
class VectorFacts;

template <>
class VectorFacts<float> {
 public:
  static constexpr Index kStep = 8;
  explicit VectorFacts(float value) : lowest_(_mm_set1_ps(value)), highest_(lowest_) {}

  template <bool copies>
  void step(const float* from, float* to) {
    const __m128 first = _mm_loadu_ps(from);
    const __m128 second = _mm_loadu_ps(from + 4);
    if constexpr (copies) {
      _mm_stream_ps(to, first);
      _mm_stream_ps(to + 4, second);
    }
    sums_[0] = _mm_add_pd(sums_[0], _mm_cvtps_pd(first));
    sums_[1] = _mm_add_pd(sums_[1], _mm_cvtps_pd(_mm_movehl_ps(first, first)));
    sums_[2] = _mm_add_pd(sums_[2], _mm_cvtps_pd(second));
    sums_[3] = _mm_add_pd(sums_[3], _mm_cvtps_pd(_mm_movehl_ps(second, second)));
    lowest_ = _mm_min_ps(lowest_, _mm_min_ps(first, second));
    highest_ = _mm_max_ps(highest_, _mm_max_ps(first, second));
  }
  RowFacts facts() const {
    float lowest[4];
    float highest[4];
    _mm_storeu_ps(lowest, lowest_);
    _mm_storeu_ps(highest, highest_);
    const __m128d sum = _mm_add_pd(_mm_add_pd(sums_[0], sums_[1]), _mm_add_pd(sums_[2], sums_[3]));
    return {_mm_cvtsd_f64(sum) + _mm_cvtsd_f64(_mm_unpackhi_pd(sum, sum)), *std::min_element(lowest, lowest + 4),
            *std::max_element(highest, highest + 4)};
  }

 private:
  __m128d sums_[4] = {_mm_setzero_pd(), _mm_setzero_pd(), _mm_setzero_pd(), _mm_setzero_pd()};
  __m128 lowest_;
  __m128 highest_;
};

template <>
class VectorFacts<double> {
 public:
  static constexpr Index kStep = 4;
  explicit VectorFacts(double value) : lowest_(_mm_set1_pd(value)), highest_(lowest_) {}

  template <bool copies>
  void step(const double* from, double* to) {
    const __m128d first = _mm_loadu_pd(from);
    const __m128d second = _mm_loadu_pd(from + 2);
    if constexpr (copies) {
      _mm_stream_pd(to, first);
      _mm_stream_pd(to + 2, second);
    }
    sums_[0] = _mm_add_pd(sums_[0], first);
    sums_[1] = _mm_add_pd(sums_[1], second);
    lowest_ = _mm_min_pd(lowest_, _mm_min_pd(first, second));
    highest_ = _mm_max_pd(highest_, _mm_max_pd(first, second));
  }
  RowFacts facts() const {
    double sums[2];
    double lowest[2];
    double highest[2];
    _mm_storeu_pd(sums, _mm_add_pd(sums_[0], sums_[1]));
    _mm_storeu_pd(lowest, lowest_);
    _mm_storeu_pd(highest, highest_);
    return {sums[0] + sums[1], std::min(lowest[0], lowest[1]), std::max(highest[0], highest[1])};
  }

 private:
  __m128d sums_[2] = {_mm_setzero_pd(), _mm_setzero_pd()};
  __m128d lowest_;
  __m128d highest_;
};

/// `to` is aligned, unless nothing is copied.
template <bool copies, class Real>
RowFacts vector_facts(const Real* from, Index count, Real* to) {
  if (count == 0) return {};
  constexpr Index kStep = VectorFacts<Real>::kStep;
  VectorFacts<Real> steps(from[0]);
  Index i = 0;
  for (; i + kStep <= count; i += kStep) steps.template step<copies>(from + i, to + i);
  RowFacts facts = steps.facts();
  for (; i < count; ++i) {
    if constexpr (copies) to[i] = from[i];
    facts.add(static_cast<double>(from[i]));
  }
  return facts;
}
#endif

/// With the widest vectors that this processor has.
RowFacts facts_of(const float* values, Index count);

template <class T>
double sum_of(const T* values, Index count) {
  return facts_of(values, count).sum;
}

/// stream_copy() that returns the facts of what it copies, for the price of the copy alone. end_stream() as for that.
template <class Real>
RowFacts stream_copy_and_facts(Real* to, const Real* from, Index count) {
#if defined(__SSE2__)
  constexpr std::uintptr_t kVector = sizeof(__m128i);
  const std::uintptr_t past = reinterpret_cast<std::uintptr_t>(to) % kVector;
  const Index head = std::min(count, static_cast<Index>((kVector - past) % kVector / sizeof(Real)));
  RowFacts facts;
  for (Index i = 0; i < head; ++i) {
    to[i] = from[i];
    facts.add(static_cast<double>(from[i]));
  }
  facts.add(vector_facts<true>(from + head, count - head, to + head));
  return facts;
#else
  stream_copy(to, from, static_cast<std::size_t>(count) * sizeof(Real));
  return facts_of(from, count);
#endif
}

template <class Real>
double stream_copy_and_sum(Real* to, const Real* from, Index count) {
  return stream_copy_and_facts(to, from, count).sum;
}

}  // namespace convoy::inline v0
