// The part of FFTW's documented interface (fftw3.h of FFTW 3.3) that the cpu backend calls, for one precision.
#pragma once

#include <complex>

namespace convoy::backend::cpu {

inline constexpr int kFftwForward = -1;
inline constexpr int kFftwBackward = 1;
inline constexpr unsigned kFftwMeasure = 0;
inline constexpr unsigned kFftwEstimate = 1U << 6;

template <class Real>
struct FftwFunctions {
  using Complex = std::complex<Real>;

  const char* version = "";
  void* (*plan_r2c)(int length, Real* in, Complex* out, unsigned flags) = nullptr;
  void* (*plan_c2r)(int length, Complex* in, Real* out, unsigned flags) = nullptr;
  void* (*plan_many)(int rank, const int* length, int count, Complex* in, const int* in_embed, int in_stride,
                     int in_distance, Complex* out, const int* out_embed, int out_stride, int out_distance, int sign,
                     unsigned flags) = nullptr;
  void (*execute_r2c)(void* plan, Real* in, Complex* out) = nullptr;
  void (*execute_c2r)(void* plan, Complex* in, Real* out) = nullptr;
  void (*execute_dft)(void* plan, Complex* in, Complex* out) = nullptr;
  void (*destroy)(void* plan) = nullptr;
  char* (*export_wisdom)() = nullptr;  ///< what it returns is freed by free()
  int (*import_wisdom)(const char* text) = nullptr;
  void (*forget_wisdom)() = nullptr;
};

}  // namespace convoy::backend::cpu
