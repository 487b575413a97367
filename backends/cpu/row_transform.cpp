#include "backends/cpu/row_transform.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "backends/cpu/aligned_buffer.hpp"

namespace convoy::backend::cpu {
namespace {

/// Rows begin at multiples of 64 bytes.
Index padded_pitch(Index length, Index real_bytes) {
  const Index step = 64 / real_bytes;
  return (length + step - 1) / step * step;
}

/// From Z[k] and Z[h - k], the spectrum of h complex numbers that hold a row's even and odd elements, to X[k] and X[h -
/// k] of the row; k and h - k may be the same. `root` is exp(-2 pi i k / 2h). Of every row; each pointer is to its
/// first.
template <class Real>
inline void combine(std::complex<Real>* low, std::complex<Real>* high, std::complex<Real> root, Index num_rows) {
  auto* __restrict a = reinterpret_cast<Real*>(low);
  auto* __restrict b = reinterpret_cast<Real*>(high);
  const Real c = root.real() / 2;
  const Real s = root.imag() / 2;
  for (Index row = 0; row < num_rows; ++row) {
    const Real even_re = (a[2 * row] + b[2 * row]) / 2;
    const Real even_im = (a[2 * row + 1] - b[2 * row + 1]) / 2;
    const Real difference_re = a[2 * row] - b[2 * row];
    const Real difference_im = a[2 * row + 1] + b[2 * row + 1];
    // odd = -i / 2 * root * difference
    const Real odd_re = c * difference_im + s * difference_re;
    const Real odd_im = s * difference_im - c * difference_re;
    a[2 * row] = even_re + odd_re;
    a[2 * row + 1] = even_im + odd_im;
    b[2 * row] = even_re - odd_re;
    b[2 * row + 1] = odd_im - even_im;
  }
}

/// The way back, twice as large.
template <class Real>
inline void separate(std::complex<Real>* low, std::complex<Real>* high, std::complex<Real> root, Index num_rows) {
  auto* __restrict a = reinterpret_cast<Real*>(low);
  auto* __restrict b = reinterpret_cast<Real*>(high);
  const Real c = root.real();
  const Real s = root.imag();
  for (Index row = 0; row < num_rows; ++row) {
    const Real even_re = a[2 * row] + b[2 * row];
    const Real even_im = a[2 * row + 1] - b[2 * row + 1];
    const Real difference_re = a[2 * row] - b[2 * row];
    const Real difference_im = a[2 * row + 1] + b[2 * row + 1];
    // odd = i * conj(root) * difference
    const Real odd_re = s * difference_re - c * difference_im;
    const Real odd_im = c * difference_re + s * difference_im;
    a[2 * row] = even_re + odd_re;
    a[2 * row + 1] = even_im + odd_im;
    b[2 * row] = even_re - odd_re;
    b[2 * row + 1] = odd_im - even_im;
  }
}

template <class Real>
inline std::complex<Real> product(std::complex<Real> a, std::complex<Real> b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

/// combine(), times factors, separate(), of the pairs begin <= k < end of one row.
template <class Real>
inline void multiply_pairs(std::complex<Real>* spectrum, const std::complex<Real>* factors, Real sign,
                           const std::complex<Real>* roots, Index half, Index end) {
  auto* const z = reinterpret_cast<Real*>(spectrum);
  const auto* const f = reinterpret_cast<const Real*>(factors);
  const auto* const w = reinterpret_cast<const Real*>(roots);
  for (Index k = 1; k < end; ++k) {
    Real* const a = z + 2 * k;
    Real* const b = z + 2 * (half - k);
    const Real c = w[2 * k] / 2, s = w[2 * k + 1] / 2;
    const Real even_re = (a[0] + b[0]) / 2, even_im = (a[1] - b[1]) / 2;
    const Real difference_re = a[0] - b[0], difference_im = a[1] + b[1];
    const Real odd_re = c * difference_im + s * difference_re, odd_im = s * difference_im - c * difference_re;
    const Real low_re = even_re + odd_re, low_im = even_im + odd_im;
    const Real high_re = even_re - odd_re, high_im = odd_im - even_im;
    const Real f_re = f[2 * k], f_im = sign * f[2 * k + 1];
    const Real g_re = f[2 * (half - k)], g_im = sign * f[2 * (half - k) + 1];
    const Real p_re = low_re * f_re - low_im * f_im, p_im = low_re * f_im + low_im * f_re;
    const Real q_re = high_re * g_re - high_im * g_im, q_im = high_re * g_im + high_im * g_re;
    const Real sum_re = p_re + q_re, sum_im = p_im - q_im;
    const Real rest_re = p_re - q_re, rest_im = p_im + q_im;
    const Real back_re = 2 * (s * rest_re - c * rest_im), back_im = 2 * (c * rest_re + s * rest_im);
    a[0] = sum_re + back_re;
    a[1] = sum_im + back_im;
    b[0] = sum_re - back_re;
    b[1] = back_im - sum_im;
  }
}

}  // namespace

template <class Real>
RowTransform<Real>::RowTransform(Index length, Index num_rows, FftwEffort effort)
    : length_(length), num_rows_(num_rows), pitch_(padded_pitch(length, sizeof(Real))) {
  if (!is_even()) {
    forward_ = fftw_.plan_row_forward(length, effort);
    inverse_ = fftw_.plan_row_inverse(length, effort);
    return;
  }
  const FftwLayout rows{1, pitch_ / 2};
  const FftwLayout spectra{num_rows, 1};
  forward_ = fftw_.plan_complex(length / 2, num_rows, rows, spectra, false, effort);
  inverse_ = fftw_.plan_complex(length / 2, num_rows, spectra, rows, true, effort);
  roots_.reserve(static_cast<std::size_t>(length / 4 + 1));
  for (Index k = 0; k <= length / 4; ++k) {
    const double angle = -2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(length);
    roots_.emplace_back(static_cast<Real>(std::cos(angle)), static_cast<Real>(std::sin(angle)));
  }
}

template <class Real>
void RowTransform<Real>::forward(Real* rows, Complex* spectra) const {
  if (!is_even()) return forward_odd(rows, spectra);
  const Index h = length_ / 2;
  fftw_.execute(forward_, reinterpret_cast<Complex*>(rows), spectra);
  const auto at = [&](Index k) { return spectra + k * num_rows_; };
  for (Index row = 0; row < num_rows_; ++row) {
    const Complex first = at(0)[row];
    at(0)[row] = first.real() + first.imag();
    at(h)[row] = first.real() - first.imag();
  }
  for (Index k = 1; 2 * k < h; ++k) combine(at(k), at(h - k), roots_[static_cast<std::size_t>(k)], num_rows_);
  if (h % 2 == 0) std::transform(at(h / 2), at(h / 2 + 1), at(h / 2), [](Complex z) { return std::conj(z); });
}

template <class Real>
void RowTransform<Real>::inverse(Complex* spectra, Real* rows) const {
  if (!is_even()) return inverse_odd(spectra, rows);
  const Index h = length_ / 2;
  const auto at = [&](Index k) { return spectra + k * num_rows_; };
  for (Index row = 0; row < num_rows_; ++row) {
    const Real first = at(0)[row].real();
    const Real last = at(h)[row].real();
    at(0)[row] = {first + last, first - last};
  }
  for (Index k = 1; 2 * k < h; ++k) separate(at(k), at(h - k), roots_[static_cast<std::size_t>(k)], num_rows_);
  if (h % 2 == 0) {
    std::transform(at(h / 2), at(h / 2 + 1), at(h / 2), [](Complex z) { return Real(2) * std::conj(z); });
  }
  fftw_.execute(inverse_, spectra, reinterpret_cast<Complex*>(rows));
}

template <class Real>
void RowTransform<Real>::convolve(Real* row, Complex* spectra, const Complex* factors, Real sign) const {
  if (!is_even()) {
    forward_odd(row, spectra);
    for (Index k = 0; k <= length_ / 2; ++k) {
      spectra[k] = product(spectra[k], {factors[k].real(), sign * factors[k].imag()});
    }
    return inverse_odd(spectra, row);
  }
  const Index h = length_ / 2;
  fftw_.execute(forward_, reinterpret_cast<Complex*>(row), spectra);
  const Real first = (spectra[0].real() + spectra[0].imag()) * factors[0].real();
  const Real last = (spectra[0].real() - spectra[0].imag()) * factors[h].real();
  spectra[0] = {first + last, first - last};
  multiply_pairs(spectra, factors, sign, roots_.data(), h, (h + 1) / 2);
  if (h % 2 == 0) {
    const Complex factor{factors[h / 2].real(), sign * factors[h / 2].imag()};
    spectra[h / 2] = Real(2) * std::conj(product(std::conj(spectra[h / 2]), factor));
  }
  fftw_.execute(inverse_, spectra, reinterpret_cast<Complex*>(row));
}

template <class Real>
void RowTransform<Real>::forward_odd(Real* rows, Complex* spectra) const {
  const Index row_length = length_ / 2 + 1;
  const AlignedBuffer spectrum(static_cast<std::size_t>(row_length) * sizeof(Complex));
  for (Index row = 0; row < num_rows_; ++row) {
    fftw_.row_forward(forward_, rows + row * pitch_, spectrum.as<Complex>());
    for (Index k = 0; k < row_length; ++k) spectra[k * num_rows_ + row] = spectrum.as<Complex>()[k];
  }
}

template <class Real>
void RowTransform<Real>::inverse_odd(Complex* spectra, Real* rows) const {
  const Index row_length = length_ / 2 + 1;
  const AlignedBuffer spectrum(static_cast<std::size_t>(row_length) * sizeof(Complex));
  for (Index row = 0; row < num_rows_; ++row) {
    for (Index k = 0; k < row_length; ++k) spectrum.as<Complex>()[k] = spectra[k * num_rows_ + row];
    fftw_.row_inverse(inverse_, spectrum.as<Complex>(), rows + row * pitch_);
  }
}

template class RowTransform<float>;
template class RowTransform<double>;

}  // namespace convoy::backend::cpu
