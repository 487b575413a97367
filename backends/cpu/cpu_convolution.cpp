#include "backends/cpu/cpu_convolution.hpp"

#include <algorithm>
#include <complex>
#include <cstring>
#include <vector>

#include "backends/cpu/aligned_buffer.hpp"
#include "backends/cpu/fftw.hpp"

namespace convoy::backend::cpu {
namespace {

/// Where the elements of a line of columns lie: element i of a column is `stride` complex elements after element i - 1.
template <class Real>
struct Column {
  std::complex<Real>* first;
  Index stride;
};

/// Scratch that fits the second-level cache: a block of columns is gathered, transformed and put back.
constexpr Index kScratchBytes = 192 * 1024;

Index block_columns(Index length, Index element_bytes, Index available) {
  Index columns = 64;
  while (columns > 4 && columns * length * element_bytes > kScratchBytes) columns /= 2;
  return std::min(columns, available);
}

/// Transforms along one strided axis, in blocks of neighbouring columns.
template <class Real>
class ColumnTransform {
 public:
  using Complex = std::complex<Real>;

  ColumnTransform(Index length, Index row_length)
      : length_(length),
        row_length_(row_length),
        block_(block_columns(length, sizeof(Complex), row_length)),
        rest_(row_length % block_) {
    const auto& fftw = Fftw<Real>::instance();
    for (const bool inverse : {false, true}) {
      plans_[inverse] = fftw.plan_columns(length_, block_, inverse);
      if (rest_ > 0) rest_plans_[inverse] = fftw.plan_columns(length_, rest_, inverse);
    }
  }

  Index length() const { return length_; }
  Index blocks_per_row() const { return (row_length_ + block_ - 1) / block_; }
  Index first_column(Index block) const { return block * block_; }
  Index columns(Index block) const { return std::min(block_, row_length_ - block * block_); }
  std::size_t scratch_bytes() const { return static_cast<std::size_t>(length_ * block_) * sizeof(Complex); }

  /// scratch <- rows [0, filled) of the column block, zeros below.
  void get(Column<Real> column, Index block, Index filled, Complex* scratch) const {
    const Index n = columns(block);
    for (Index i = 0; i < filled; ++i) std::copy_n(column.first + i * column.stride, n, scratch + i * n);
    std::fill(scratch + filled * n, scratch + length_ * n, Complex(0));
  }

  void forward(Index block, Complex* scratch) const { execute(block, false, scratch); }
  void inverse(Index block, Complex* scratch) const { execute(block, true, scratch); }

  /// Rows [0, kept) of scratch back to the column block.
  void put(Column<Real> column, Index block, Index kept, const Complex* scratch) const {
    const Index n = columns(block);
    for (Index i = 0; i < kept; ++i) std::copy_n(scratch + i * n, n, column.first + i * column.stride);
  }

 private:
  void execute(Index block, bool inverse, Complex* scratch) const {
    const bool is_rest = columns(block) != block_;
    Fftw<Real>::instance().columns(is_rest ? rest_plans_[inverse] : plans_[inverse], scratch);
  }

  Index length_;
  Index row_length_;
  Index block_;
  Index rest_;
  FftwPlan plans_[2];
  FftwPlan rest_plans_[2];
};

template <class Real>
class Convolution final : public CpuConvolution {
 public:
  using Complex = std::complex<Real>;

  Convolution(const FftGeometry& geometry, WorkerPool& pool)
      : g_(geometry),
        pool_(pool),
        fftw_(Fftw<Real>::instance()),
        row_length_(geometry.padded[0] / 2 + 1),
        row_forward_(fftw_.plan_row_forward(geometry.padded[0])),
        row_inverse_(fftw_.plan_row_inverse(geometry.padded[0])) {
    for (int axis = 1; axis < g_.num_axes; ++axis) {
      columns_[axis] = std::make_unique<ColumnTransform<Real>>(g_.padded[axis], row_length_);
    }
    std::size_t complex_bytes = static_cast<std::size_t>(row_length_) * sizeof(Complex);
    for (const auto& transform : columns_) {
      if (transform) complex_bytes = std::max(complex_bytes, transform->scratch_bytes());
    }
    for (int worker = 0; worker < pool.num_threads(); ++worker) {
      scratch_.push_back(
          {AlignedBuffer(static_cast<std::size_t>(g_.padded[0]) * sizeof(Real)), AlignedBuffer(complex_bytes)});
    }
  }

  void transform_kernel(void* spectrum) override;
  void convolve(void* image, void* work, const void* spectrum) override;

 private:
  struct Scratch {
    AlignedBuffer real;
    AlignedBuffer complex;
  };

  /// Rows of a plane of the work buffer: padded, unless axis 1 is the last one, whose padding is never stored.
  Index plane_rows() const { return g_.num_axes > 2 || g_.path == Path::staged ? g_.padded[1] : g_.extent[1]; }
  Complex* work_row(void* work, Index z, Index y) const {
    return static_cast<Complex*>(work) + (z * plane_rows() + y) * g_.row_pitch;
  }

  void rows_forward(const Real* image, void* work);
  void rows_inverse(const void* work, Real* image);
  void planes_forward(void* work);
  void planes_inverse(void* work);
  void multiply_last_axis(void* work, const Complex* spectrum);
  void multiply_rows(void* work, const Complex* spectrum);

  FftGeometry g_;
  WorkerPool& pool_;
  const Fftw<Real>& fftw_;
  Index row_length_;
  FftwPlan row_forward_;
  FftwPlan row_inverse_;
  std::unique_ptr<ColumnTransform<Real>> columns_[3];
  std::vector<Scratch> scratch_;
};

template <class Real>
void Convolution<Real>::rows_forward(const Real* image, void* work) {
  pool_.for_each(g_.extent[1] * g_.extent[2], 8, [&](int worker, Index begin, Index end) {
    Real* real = scratch_[worker].real.template as<Real>();
    Complex* complex = scratch_[worker].complex.template as<Complex>();
    for (Index row = begin; row < end; ++row) {
      std::copy_n(image + row * g_.extent[0], g_.extent[0], real);
      std::fill(real + g_.extent[0], real + g_.padded[0], Real(0));
      fftw_.row_forward(row_forward_, real, complex);
      std::copy_n(complex, row_length_, work_row(work, row / g_.extent[1], row % g_.extent[1]));
    }
  });
}

template <class Real>
void Convolution<Real>::rows_inverse(const void* work, Real* image) {
  const Real scale =
      static_cast<Real>(1.0L / (static_cast<long double>(g_.padded[0]) * static_cast<long double>(g_.padded[1]) *
                                static_cast<long double>(g_.padded[2])));
  pool_.for_each(g_.extent[1] * g_.extent[2], 8, [&](int worker, Index begin, Index end) {
    Real* real = scratch_[worker].real.template as<Real>();
    Complex* complex = scratch_[worker].complex.template as<Complex>();
    for (Index row = begin; row < end; ++row) {
      std::copy_n(work_row(const_cast<void*>(work), row / g_.extent[1], row % g_.extent[1]), row_length_, complex);
      fftw_.row_inverse(row_inverse_, complex, real);
      Real* out = image + row * g_.extent[0];
      for (Index i = 0; i < g_.extent[0]; ++i) out[i] = real[i] * scale;
    }
  });
}

/// Axis 1 of every plane that holds data, when it is not the last axis.
template <class Real>
void Convolution<Real>::planes_forward(void* work) {
  const ColumnTransform<Real>& transform = *columns_[1];
  pool_.for_each(g_.extent[2] * transform.blocks_per_row(), 1, [&](int worker, Index begin, Index end) {
    Complex* scratch = scratch_[worker].complex.template as<Complex>();
    for (Index item = begin; item < end; ++item) {
      const Index block = item % transform.blocks_per_row();
      const Column<Real> column{work_row(work, item / transform.blocks_per_row(), 0) + transform.first_column(block),
                                g_.row_pitch};
      transform.get(column, block, g_.extent[1], scratch);
      transform.forward(block, scratch);
      transform.put(column, block, g_.padded[1], scratch);
    }
  });
}

template <class Real>
void Convolution<Real>::planes_inverse(void* work) {
  const ColumnTransform<Real>& transform = *columns_[1];
  pool_.for_each(g_.extent[2] * transform.blocks_per_row(), 1, [&](int worker, Index begin, Index end) {
    Complex* scratch = scratch_[worker].complex.template as<Complex>();
    for (Index item = begin; item < end; ++item) {
      const Index block = item % transform.blocks_per_row();
      const Column<Real> column{work_row(work, item / transform.blocks_per_row(), 0) + transform.first_column(block),
                                g_.row_pitch};
      transform.get(column, block, g_.padded[1], scratch);
      transform.inverse(block, scratch);
      transform.put(column, block, g_.extent[1], scratch);
    }
  });
}

/// Transform, product and inverse along the last axis in one visit: its padding lives in scratch only.
template <class Real>
void Convolution<Real>::multiply_last_axis(void* work, const Complex* spectrum) {
  const int last = g_.num_axes - 1;
  const ColumnTransform<Real>& transform = *columns_[last];
  const Index lines = last == 2 ? g_.padded[1] : 1;
  const Index work_stride = last == 2 ? plane_rows() * g_.row_pitch : g_.row_pitch;
  const Index spectrum_stride = last == 2 ? g_.padded[1] * g_.row_pitch : g_.row_pitch;
  pool_.for_each(lines * transform.blocks_per_row(), 1, [&](int worker, Index begin, Index end) {
    Complex* scratch = scratch_[worker].complex.template as<Complex>();
    for (Index item = begin; item < end; ++item) {
      const Index block = item % transform.blocks_per_row();
      const Index offset = (item / transform.blocks_per_row()) * g_.row_pitch + transform.first_column(block);
      const Column<Real> column{static_cast<Complex*>(work) + offset, work_stride};
      transform.get(column, block, g_.extent[last], scratch);
      transform.forward(block, scratch);
      const Index columns = transform.columns(block);
      for (Index i = 0; i < transform.length(); ++i) {
        const Complex* factor = spectrum + offset + i * spectrum_stride;
        Complex* value = scratch + i * columns;
        for (Index c = 0; c < columns; ++c) {
          // Written out: std::complex's operator* checks for NaN, which keeps it from being vectorised.
          value[c] = Complex(value[c].real() * factor[c].real() - value[c].imag() * factor[c].imag(),
                             value[c].real() * factor[c].imag() + value[c].imag() * factor[c].real());
        }
      }
      transform.inverse(block, scratch);
      transform.put(column, block, g_.extent[last], scratch);
    }
  });
}

/// The product of a line, which has no axis but the first.
template <class Real>
void Convolution<Real>::multiply_rows(void* work, const Complex* spectrum) {
  Complex* row = static_cast<Complex*>(work);
  for (Index i = 0; i < row_length_; ++i) row[i] *= spectrum[i];
}

template <class Real>
void Convolution<Real>::convolve(void* image, void* work, const void* spectrum) {
  const auto* factor = static_cast<const Complex*>(spectrum);
  rows_forward(static_cast<const Real*>(image), work);
  if (g_.num_axes == 3) planes_forward(work);
  if (g_.num_axes == 1) {
    multiply_rows(work, factor);
  } else {
    multiply_last_axis(work, factor);
  }
  if (g_.num_axes == 3) planes_inverse(work);
  rows_inverse(work, static_cast<Real*>(image));
}

template <class Real>
void Convolution<Real>::transform_kernel(void* spectrum) {
  const auto row = [&](Index i) { return static_cast<Complex*>(spectrum) + i * g_.row_pitch; };
  std::vector<char> plane_has_data(static_cast<std::size_t>(g_.padded[2]), 0);
  pool_.for_each(g_.padded[2], 1, [&](int worker, Index begin, Index end) {
    Real* real = scratch_[worker].real.template as<Real>();
    Complex* complex = scratch_[worker].complex.template as<Complex>();
    for (Index i = begin * g_.padded[1]; i < end * g_.padded[1]; ++i) {
      const Real* values = reinterpret_cast<const Real*>(row(i));
      if (std::all_of(values, values + g_.padded[0], [](Real v) { return v == 0; })) {
        std::fill_n(row(i), row_length_, Complex(0));
        continue;
      }
      plane_has_data[static_cast<std::size_t>(i / g_.padded[1])] = 1;
      std::copy_n(values, g_.padded[0], real);
      fftw_.row_forward(row_forward_, real, complex);
      std::copy_n(complex, row_length_, row(i));
    }
  });
  for (int axis = 1; axis < g_.num_axes; ++axis) {
    const ColumnTransform<Real>& transform = *columns_[axis];
    const Index lines = axis == 1 ? g_.padded[2] : g_.padded[1];
    const Index line_stride = axis == 1 ? g_.padded[1] * g_.row_pitch : g_.row_pitch;
    const Index stride = axis == 1 ? g_.row_pitch : g_.padded[1] * g_.row_pitch;
    pool_.for_each(lines * transform.blocks_per_row(), 1, [&](int worker, Index begin, Index end) {
      Complex* scratch = scratch_[worker].complex.template as<Complex>();
      for (Index item = begin; item < end; ++item) {
        const Index line = item / transform.blocks_per_row();
        if (axis == 1 && !plane_has_data[static_cast<std::size_t>(line)]) continue;
        const Index block = item % transform.blocks_per_row();
        const Column<Real> column{static_cast<Complex*>(spectrum) + line * line_stride + transform.first_column(block),
                                  stride};
        transform.get(column, block, transform.length(), scratch);
        transform.forward(block, scratch);
        transform.put(column, block, transform.length(), scratch);
      }
    });
  }
}

}  // namespace

std::unique_ptr<CpuConvolution> make_cpu_convolution(const FftGeometry& geometry, WorkerPool& pool) {
  if (geometry.precision == Precision::f32) return std::make_unique<Convolution<float>>(geometry, pool);
  return std::make_unique<Convolution<double>>(geometry, pool);
}

}  // namespace convoy::backend::cpu
