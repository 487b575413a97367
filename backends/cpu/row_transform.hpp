// Transforms of several rows of reals at once.
#pragma once

#include <complex>
#include <vector>

#include "backends/cpu/fftw.hpp"

namespace convoy::backend::cpu {

/// A row of an even number n of reals is transformed as n / 2 complex numbers, whose spectrum is then taken apart into
/// those of even and odd elements and put together to that of the row (Press et al., Numerical Recipes, section "FFT of
/// real functions"). FFTW's own transforms of reals take two to three times as long unless they were measured first,
/// which takes longer than many a convolution.
template <class Real>
class RowTransform {
 public:
  using Complex = std::complex<Real>;

  RowTransform(Index length, Index num_rows, FftwEffort effort);

  Index num_rows() const { return num_rows_; }
  /// Of the rows of reals: row r begins at r * pitch().
  Index pitch() const { return pitch_; }
  /// Reals in scratch buffers for rows, and complex numbers in those for spectra.
  Index rows_size() const { return num_rows_ * pitch_; }
  Index spectra_size() const { return num_rows_ * (length_ / 2 + 1); }

  /// Element k of row r's spectrum goes to k * num_rows() + r. Buffers must be 64-byte aligned; `rows` is used up.
  void forward(Real* rows, Complex* spectra) const;
  /// Unnormalised; `spectra` is used up.
  void inverse(Complex* spectra, Real* rows) const;
  /// Of a single row: forward, times `factors` (their conjugates with sign -1), inverse; `spectra` is scratch. The
  /// spectrum is put together and taken apart again on the way.
  void convolve(Real* row, Complex* spectra, const Complex* factors, Real sign) const;

 private:
  bool is_even() const { return length_ % 2 == 0; }
  void forward_odd(Real* rows, Complex* spectra) const;
  void inverse_odd(Complex* spectra, Real* rows) const;

  const Fftw<Real>& fftw_ = Fftw<Real>::instance();
  Index length_;
  Index num_rows_;
  Index pitch_;
  FftwPlan forward_;
  FftwPlan inverse_;
  std::vector<Complex> roots_;  // exp(-2 pi i k / length), k <= length / 4
};

}  // namespace convoy::backend::cpu
