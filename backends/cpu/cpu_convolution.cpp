#include "backends/cpu/cpu_convolution.hpp"

#include <algorithm>
#include <atomic>
#include <complex>
#include <vector>

#include "backends/cpu/aligned_buffer.hpp"
#include "backends/cpu/fftw.hpp"
#include "backends/cpu/row_transform.hpp"
#include "backends/cpu/tiles.hpp"
#include "base/work_meter.hpp"

namespace convoy::backend::cpu {
namespace {

/// Input and output of one execution of FFTW shall fit the first-level cache beside each other.
constexpr Index kExecutionBytes = 16 * 1024;

FftwEffort effort_of(const FftGeometry& geometry) {
  return geometry.tuning.measure_transforms ? FftwEffort::measure : FftwEffort::estimate;
}

/// Rows of a tile that are transformed together along the third axis.
Index rows_that_fit(Index length, Index element_bytes) {
  Index rows = 1;
  while (rows < kTileRows && 2 * (2 * rows) * kTileColumns * length * element_bytes <= kExecutionBytes) rows *= 2;
  return rows;
}

/// Transforms of interleaved columns, from one scratch buffer to another.
template <class Real>
class ColumnTransform {
 public:
  using Complex = std::complex<Real>;

  ColumnTransform(Index length, Index columns, FftwEffort effort)
      : length_(length),
        columns_(columns),
        forward_(fftw_.plan_complex(length, columns, {columns, 1}, {columns, 1}, false, effort)),
        inverse_(fftw_.plan_complex(length, columns, {columns, 1}, {columns, 1}, true, effort)) {}

  Index length() const { return length_; }
  Index columns() const { return columns_; }
  Index size() const { return length_ * columns_; }
  void forward(Complex* in, Complex* out) const { fftw_.execute(forward_, in, out); }
  void inverse(Complex* in, Complex* out) const { fftw_.execute(inverse_, in, out); }

 private:
  const Fftw<Real>& fftw_ = Fftw<Real>::instance();
  Index length_;
  Index columns_;
  FftwPlan forward_;
  FftwPlan inverse_;
};

/// value *= factor, or its conjugate with sign -1. Written out: std::complex's operator* checks for NaN, which keeps it
/// from being vectorised.
template <class Real>
inline void multiply(std::complex<Real>* __restrict value, const std::complex<Real>* __restrict factor, Real sign,
                     Index count) {
  for (Index i = 0; i < count; ++i) {
    const std::complex<Real> a = value[i];
    const std::complex<Real> b{factor[i].real(), sign * factor[i].imag()};
    value[i] = {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
  }
}

/// to += from
template <class Real>
inline void add(const std::complex<Real>* __restrict from, Index count, std::complex<Real>* __restrict to) {
  for (Index i = 0; i < count; ++i) to[i] = {to[i].real() + from[i].real(), to[i].imag() + from[i].imag()};
}

template <class Real>
class Convolution final : public CpuConvolution {
 public:
  using Complex = std::complex<Real>;

  Convolution(const FftGeometry& geometry, WorkerPool& pool);
  void transform_kernel(void* spectrum) override;
  void convolve(void* image, void* work, const void* spectrum, bool conjugate) override;
  void forward(const void* image, void* work) override;
  void product(const void* from, const void* spectrum, bool conjugate, void* to, bool adds) override;
  void inverse(void* work, void* image) override;

 private:
  struct Product {
    const Complex* from;
    const Complex* spectrum;
    Real sign;
    Complex* to;
    bool adds;
  };
  /// Of one worker.
  struct Scratch {
    AlignedBuffer rows_memory;
    AlignedBuffer spectra_memory;
    AlignedBuffer columns_memory;
    AlignedBuffer transformed_memory;
    AlignedBuffer factors_memory;

    Real* rows() const { return rows_memory.as<Real>(); }
    Complex* spectra() const { return spectra_memory.as<Complex>(); }
    Complex* columns() const { return columns_memory.as<Complex>(); }
    Complex* transformed() const { return transformed_memory.as<Complex>(); }
    Complex* factors() const { return factors_memory.as<Complex>(); }
  };

  void rows_forward(const Real* image, Index z, Index band, Complex* plane, const Scratch& scratch) const;
  void rows_inverse(const Complex* plane, Index z, Index band, Real* image, const Scratch& scratch) const;
  void columns_forward(Complex* plane, Index tile, const Scratch& scratch) const;
  void columns_inverse(Complex* plane, Index tile, const Scratch& scratch) const;
  void multiply_row(const Product& product, const Scratch& scratch) const;
  void multiply_columns(const Product& product, Index tile, const Scratch& scratch) const;
  void multiply_lines(const Product& product, Index band, Index tile, const Scratch& scratch) const;

  void convolve_row(Real* image, const Complex* spectrum, Real sign, const Scratch& scratch) const;
  void planes_forward(const Real* image, Complex* work);
  void planes_inverse(Complex* work, Real* image);

  bool kernel_band(Complex* plane, Index band, const Scratch& scratch) const;
  void kernel_columns(Complex* plane, Index tile, const Scratch& scratch) const;
  void kernel_lines(Complex* spectrum, Index band, Index tile, const Scratch& scratch) const;

  /// body(scratch, item) for every item, shared out among the workers.
  template <class Body>
  void for_each(Index count, const Body& body) {
    workers_or_alone(pool_).for_each(count, 1, [&](int worker, Index begin, Index end) {
      const Scratch& scratch = scratch_[static_cast<std::size_t>(worker)];
      for (Index item = begin; item < end; ++item) body(scratch, item);
    });
  }
  /// body(scratch, i, j) for 0 <= i < count, 0 <= j < inner.
  template <class Body>
  void for_each_pair(Index count, Index inner, const Body& body) {
    for_each(count * inner, [&](const Scratch& scratch, Index item) { body(scratch, item / inner, item % inner); });
  }

  TileColumn tile_column(const TiledPlane& plane, Index band, Index tile) const {
    return {plane, band, tile, g_.padded[2], lines_->columns() / kTileColumns};
  }
  /// A plane stays in the second-level cache between its rows and its columns, if there are planes enough for all.
  bool planes_suffice() const {
    const int num_threads = workers_or_alone(pool_).num_threads();
    return num_threads == 1 || g_.extent[2] >= 4 * num_threads;
  }

  FftGeometry g_;
  WorkerPool& pool_;
  RowTransform<Real> rows_;                         // along axis 0
  std::unique_ptr<ColumnTransform<Real>> columns_;  // along axis 1
  std::unique_ptr<ColumnTransform<Real>> lines_;    // along axis 2
  TiledPlane work_;  // padded rows, unless axis 1 is the last: its padding is never stored
  TiledPlane spectrum_;
  std::vector<Scratch> scratch_;
};

template <class Real>
Convolution<Real>::Convolution(const FftGeometry& geometry, WorkerPool& pool)
    : g_(geometry),
      pool_(pool),
      rows_(geometry.padded[0], geometry.num_axes == 1 ? 1 : kTileRows, effort_of(geometry)),
      work_{g_.num_axes > 2 ? g_.padded[1] : g_.extent[1], g_.padded[0] / 2 + 1, g_.row_pitch},
      spectrum_{g_.padded[1], g_.padded[0] / 2 + 1, g_.row_pitch} {
  Index columns_size = 0;
  Index transformed_size = 0;
  if (g_.num_axes > 1) {
    columns_ = std::make_unique<ColumnTransform<Real>>(g_.padded[1], kTileColumns, effort_of(g_));
    columns_size = columns_->size();
    transformed_size = columns_->size();
  }
  if (g_.num_axes > 2) {
    const Index rows = rows_that_fit(g_.padded[2], sizeof(Complex));
    lines_ = std::make_unique<ColumnTransform<Real>>(g_.padded[2], rows * kTileColumns, effort_of(g_));
    columns_size = std::max(columns_size, g_.padded[2] * kTileRows * kTileColumns);
    transformed_size = std::max(transformed_size, lines_->size());
  }
  const auto complex_buffer = [](Index count) {
    return AlignedBuffer(static_cast<std::size_t>(count) * sizeof(Complex));
  };
  for (int worker = 0; worker < pool.num_threads(); ++worker) {
    scratch_.push_back({AlignedBuffer(static_cast<std::size_t>(rows_.rows_size()) * sizeof(Real)),
                        complex_buffer(rows_.spectra_size()), complex_buffer(columns_size),
                        complex_buffer(transformed_size), complex_buffer(columns_size)});
  }
}

/// Rows of the image, zeros behind and below them, to a band of the plane.
template <class Real>
void Convolution<Real>::rows_forward(const Real* image, Index z, Index band, Complex* plane,
                                     const Scratch& scratch) const {
  const Index first = band * kTileRows;
  const Index filled = std::min(work_.band_rows(band), g_.extent[1] - first);
  for (Index row = 0; row < rows_.num_rows(); ++row) {
    Real* to = scratch.rows() + row * rows_.pitch();
    if (row < filled) std::copy_n(image + (z * g_.extent[1] + first + row) * g_.extent[0], g_.extent[0], to);
    std::fill(to + (row < filled ? g_.extent[0] : 0), to + g_.padded[0], Real(0));
  }
  rows_.forward(scratch.rows(), scratch.spectra());
  put_band(work_, scratch.spectra(), rows_.num_rows(), band, plane);
}

template <class Real>
void Convolution<Real>::rows_inverse(const Complex* plane, Index z, Index band, Real* image,
                                     const Scratch& scratch) const {
  const Index first = band * kTileRows;
  const Index kept = std::min(work_.band_rows(band), g_.extent[1] - first);
  get_band(work_, plane, band, scratch.spectra(), rows_.num_rows());
  rows_.inverse(scratch.spectra(), scratch.rows());
  for (Index row = 0; row < kept; ++row) {
    std::copy_n(scratch.rows() + row * rows_.pitch(), g_.extent[0],
                image + (z * g_.extent[1] + first + row) * g_.extent[0]);
  }
}

template <class Real>
void Convolution<Real>::columns_forward(Complex* plane, Index tile, const Scratch& scratch) const {
  get_columns(work_, plane, tile, g_.extent[1], scratch.columns());
  std::fill(scratch.columns() + g_.extent[1] * kTileColumns, scratch.columns() + columns_->size(), Complex(0));
  columns_->forward(scratch.columns(), scratch.transformed());
  put_columns(work_, scratch.transformed(), tile, g_.padded[1], plane);
}

template <class Real>
void Convolution<Real>::columns_inverse(Complex* plane, Index tile, const Scratch& scratch) const {
  get_columns(work_, plane, tile, g_.padded[1], scratch.columns());
  columns_->inverse(scratch.columns(), scratch.transformed());
  put_columns(work_, scratch.transformed(), tile, g_.extent[1], plane);
}

/// A single row's tiles lie as the row does.
template <class Real>
void Convolution<Real>::multiply_row(const Product& product, const Scratch& scratch) const {
  const Index length = work_.row_length;
  if (!product.adds) {
    if (product.to != product.from) copy(product.from, length, product.to);
    multiply(product.to, product.spectrum, product.sign, length);
    return;
  }
  copy(product.from, length, scratch.spectra());
  multiply(scratch.spectra(), product.spectrum, product.sign, length);
  add(scratch.spectra(), length, product.to);
}

/// Transform, product and inverse along the last of two axes in one visit: its padding lives in scratch only.
template <class Real>
void Convolution<Real>::multiply_columns(const Product& product, Index tile, const Scratch& scratch) const {
  Complex* columns = scratch.columns();
  Complex* transformed = scratch.transformed();
  get_columns(work_, product.from, tile, g_.extent[1], columns);
  std::fill(columns + g_.extent[1] * kTileColumns, columns + columns_->size(), Complex(0));
  columns_->forward(columns, transformed);
  get_columns(spectrum_, product.spectrum, tile, g_.padded[1], scratch.factors());
  multiply(transformed, scratch.factors(), product.sign, columns_->size());
  columns_->inverse(transformed, columns);
  if (product.adds) {
    get_columns(work_, product.to, tile, g_.extent[1], scratch.factors());
    add(scratch.factors(), g_.extent[1] * kTileColumns, columns);
  }
  put_columns(work_, columns, tile, g_.extent[1], product.to);
}

/// The same along the last of three axes.
template <class Real>
void Convolution<Real>::multiply_lines(const Product& product, Index band, Index tile, const Scratch& scratch) const {
  const TileColumn column = tile_column(work_, band, tile);
  get_batches(column, product.from, g_.extent[2], scratch.columns());
  get_batches(column, product.spectrum, g_.padded[2], scratch.factors());
  for (Index batch = 0; batch < column.num_batches(); ++batch) {
    Complex* lines = scratch.columns() + batch * column.batch_size();
    lines_->forward(lines, scratch.transformed());
    multiply(scratch.transformed(), scratch.factors() + batch * column.batch_size(), product.sign, column.batch_size());
    lines_->inverse(scratch.transformed(), lines);
  }
  if (product.adds) {
    get_batches(column, product.to, g_.extent[2], scratch.factors());
    add(scratch.factors(), column.num_batches() * column.batch_size(), scratch.columns());
  }
  put_batches(column, scratch.columns(), g_.extent[2], product.to);
}

/// All of a single row: one thread does it, and nothing of it leaves scratch.
template <class Real>
void Convolution<Real>::convolve_row(Real* image, const Complex* spectrum, Real sign, const Scratch& scratch) const {
  Real* const row = scratch.rows();
  std::copy_n(image, g_.extent[0], row);
  std::fill(row + g_.extent[0], row + g_.padded[0], Real(0));
  rows_.convolve(row, scratch.spectra(), spectrum, sign);
  std::copy_n(row, g_.extent[0], image);
}

template <class Real>
void Convolution<Real>::planes_forward(const Real* image, Complex* work) {
  const auto plane = [&](Index z) { return work + z * work_.size(); };
  const Index filled_bands = (g_.extent[1] + kTileRows - 1) / kTileRows;
  if (planes_suffice()) {
    for_each(g_.extent[2], [&](const Scratch& scratch, Index z) {
      for (Index band = 0; band < filled_bands; ++band) rows_forward(image, z, band, plane(z), scratch);
      for (Index tile = 0; tile < work_.num_tiles(); ++tile) columns_forward(plane(z), tile, scratch);
    });
    return;
  }
  {
    const WorkPart part(0, 0.5);
    for_each_pair(g_.extent[2], filled_bands, [&](const Scratch& scratch, Index z, Index band) {
      rows_forward(image, z, band, plane(z), scratch);
    });
  }
  const WorkPart part(0.5, 1);
  for_each_pair(g_.extent[2], work_.num_tiles(),
                [&](const Scratch& scratch, Index z, Index tile) { columns_forward(plane(z), tile, scratch); });
}

template <class Real>
void Convolution<Real>::planes_inverse(Complex* work, Real* image) {
  const auto plane = [&](Index z) { return work + z * work_.size(); };
  const Index kept_bands = (g_.extent[1] + kTileRows - 1) / kTileRows;
  if (planes_suffice()) {
    for_each(g_.extent[2], [&](const Scratch& scratch, Index z) {
      for (Index tile = 0; tile < work_.num_tiles(); ++tile) columns_inverse(plane(z), tile, scratch);
      for (Index band = 0; band < kept_bands; ++band) rows_inverse(plane(z), z, band, image, scratch);
    });
    return;
  }
  {
    const WorkPart part(0, 0.5);
    for_each_pair(g_.extent[2], work_.num_tiles(),
                  [&](const Scratch& scratch, Index z, Index tile) { columns_inverse(plane(z), tile, scratch); });
  }
  const WorkPart part(0.5, 1);
  for_each_pair(g_.extent[2], kept_bands,
                [&](const Scratch& scratch, Index z, Index band) { rows_inverse(plane(z), z, band, image, scratch); });
}

template <class Real>
void Convolution<Real>::convolve(void* image, void* work, const void* spectrum, bool conjugate) {
  if (g_.num_axes == 1) {  // a single row's tiles lie as the row does
    for_each(1, [&](const Scratch& scratch, Index) {
      convolve_row(static_cast<Real*>(image), static_cast<const Complex*>(spectrum), conjugate ? Real(-1) : Real(1),
                   scratch);
    });
    return;
  }
  {
    const WorkPart part(0, 0.4);
    forward(image, work);
  }
  {
    const WorkPart part(0.4, 0.6);
    product(work, spectrum, conjugate, work, false);
  }
  const WorkPart part(0.6, 1);
  inverse(work, image);
}

template <class Real>
void Convolution<Real>::forward(const void* image_slot, void* work_slot) {
  const auto* image = static_cast<const Real*>(image_slot);
  auto* work = static_cast<Complex*>(work_slot);
  if (g_.num_axes == 3) return planes_forward(image, work);
  for_each(work_.num_bands(), [&](const Scratch& scratch, Index band) { rows_forward(image, 0, band, work, scratch); });
}

template <class Real>
void Convolution<Real>::product(const void* from, const void* spectrum, bool conjugate, void* to, bool adds) {
  const Product product{static_cast<const Complex*>(from), static_cast<const Complex*>(spectrum),
                        conjugate ? Real(-1) : Real(1), static_cast<Complex*>(to), adds};
  if (g_.num_axes == 3) {
    for_each_pair(work_.num_bands(), work_.num_tiles(), [&](const Scratch& scratch, Index band, Index tile) {
      multiply_lines(product, band, tile, scratch);
    });
  } else if (g_.num_axes == 2) {
    for_each(work_.num_tiles(), [&](const Scratch& scratch, Index tile) { multiply_columns(product, tile, scratch); });
  } else {
    for_each(1, [&](const Scratch& scratch, Index) { multiply_row(product, scratch); });
  }
}

template <class Real>
void Convolution<Real>::inverse(void* work_slot, void* image_slot) {
  auto* image = static_cast<Real*>(image_slot);
  auto* work = static_cast<Complex*>(work_slot);
  if (g_.num_axes == 3) return planes_inverse(work, image);
  for_each(work_.num_bands(), [&](const Scratch& scratch, Index band) { rows_inverse(work, 0, band, image, scratch); });
}

/// Rows of reals, as place_kernel left them, to tiles in their place, with the scale of the inverse transforms. False
/// if there was nothing but zeros.
template <class Real>
bool Convolution<Real>::kernel_band(Complex* plane, Index band, const Scratch& scratch) const {
  const Real scale =
      static_cast<Real>(1.0L / (static_cast<long double>(g_.padded[0]) * static_cast<long double>(g_.padded[1]) *
                                static_cast<long double>(g_.padded[2])));
  const Complex* first = plane + band * kTileRows * g_.row_pitch;
  bool has_data = false;
  for (Index row = 0; row < rows_.num_rows(); ++row) {
    Real* to = scratch.rows() + row * rows_.pitch();
    std::fill_n(to, g_.padded[0], Real(0));
    if (row >= spectrum_.band_rows(band)) continue;
    const Real* values = reinterpret_cast<const Real*>(first + row * g_.row_pitch);
    if (std::all_of(values, values + g_.padded[0], [](Real value) { return value == 0; })) continue;
    has_data = true;
    std::transform(values, values + g_.padded[0], to, [&](Real value) { return value * scale; });
  }
  if (has_data) {
    rows_.forward(scratch.rows(), scratch.spectra());
  } else {
    std::fill_n(scratch.spectra(), rows_.spectra_size(), Complex(0));
  }
  put_band(spectrum_, scratch.spectra(), rows_.num_rows(), band, plane);
  return has_data;
}

template <class Real>
void Convolution<Real>::kernel_columns(Complex* plane, Index tile, const Scratch& scratch) const {
  get_columns(spectrum_, plane, tile, g_.padded[1], scratch.columns());
  columns_->forward(scratch.columns(), scratch.transformed());
  put_columns(spectrum_, scratch.transformed(), tile, g_.padded[1], plane);
}

template <class Real>
void Convolution<Real>::kernel_lines(Complex* spectrum, Index band, Index tile, const Scratch& scratch) const {
  const TileColumn column = tile_column(spectrum_, band, tile);
  get_batches(column, spectrum, g_.padded[2], scratch.columns());
  for (Index batch = 0; batch < column.num_batches(); ++batch) {
    Complex* lines = scratch.columns() + batch * column.batch_size();
    lines_->forward(lines, scratch.transformed());
    copy(scratch.transformed(), column.batch_size(), lines);
  }
  put_batches(column, scratch.columns(), g_.padded[2], spectrum);
}

template <class Real>
void Convolution<Real>::transform_kernel(void* spectrum_slot) {
  auto* spectrum = static_cast<Complex*>(spectrum_slot);
  const auto plane = [&](Index z) { return spectrum + z * spectrum_.size(); };
  std::vector<std::atomic<bool>> plane_has_data(static_cast<std::size_t>(g_.padded[2]));
  for_each_pair(g_.padded[2], spectrum_.num_bands(), [&](const Scratch& scratch, Index z, Index band) {
    if (kernel_band(plane(z), band, scratch)) plane_has_data[static_cast<std::size_t>(z)] = true;
  });
  if (g_.num_axes > 1) {
    for_each_pair(g_.padded[2], spectrum_.num_tiles(), [&](const Scratch& scratch, Index z, Index tile) {
      if (plane_has_data[static_cast<std::size_t>(z)]) kernel_columns(plane(z), tile, scratch);
    });
  }
  if (g_.num_axes > 2) {
    for_each_pair(spectrum_.num_bands(), spectrum_.num_tiles(),
                  [&](const Scratch& scratch, Index band, Index tile) { kernel_lines(spectrum, band, tile, scratch); });
  }
}

}  // namespace

std::unique_ptr<CpuConvolution> make_cpu_convolution(const FftGeometry& geometry, WorkerPool& pool) {
  if (geometry.precision == Precision::f32) return std::make_unique<Convolution<float>>(geometry, pool);
  return std::make_unique<Convolution<double>>(geometry, pool);
}

}  // namespace convoy::backend::cpu
