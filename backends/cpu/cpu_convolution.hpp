// The convolution of one tile on the CPU: FFTW per axis, rows and planes known to be zero are never touched.
#pragma once

#include <memory>

#include "base/worker_pool.hpp"
#include "program/program.hpp"

namespace convoy::backend::cpu {

class CpuConvolution {
 public:
  virtual ~CpuConvolution() = default;
  /// Spectrum slot in place: padded reals in rows of 2 * row_pitch -> spectrum in natural order.
  virtual void transform_kernel(void* spectrum) = 0;
  /// image (extent) -> image, through work; see Convolve in program.hpp.
  virtual void convolve(void* image, void* work, const void* spectrum, bool conjugate) = 0;
  /// Its parts. The last transformed axis is the product's, both ways; `to` may be `from` unless the product is added.
  virtual void forward(const void* image, void* work) = 0;
  virtual void product(const void* from, const void* spectrum, bool conjugate, void* to, bool adds) = 0;
  virtual void inverse(void* work, void* image) = 0;
};

std::unique_ptr<CpuConvolution> make_cpu_convolution(const FftGeometry& geometry, WorkerPool& pool);

}  // namespace convoy::backend::cpu
