// Sums over taps for some rows of outputs: the innermost loops of ConvolveDirect.
#pragma once

#include <cstdint>

namespace convoy::backend::cpu {

/// Of ConvolveDirect, with pointers; strides are in reals.
template <class Real>
struct DirectRows {
  const Real* image;
  const Real* taps;  ///< the first of this step
  Real* result;
  std::int64_t row;    ///< from row to row of image and result
  std::int64_t plane;  ///< from plane to plane
  std::int64_t size[3];
  std::int64_t count[3];
  bool adds;
};

/// Rows begin <= y + z * count[1] < end.
template <class Real>
using DirectRowsFunction = void (*)(const DirectRows<Real>& task, std::int64_t begin, std::int64_t end);

/// For the vector units that this processor has.
template <class Real>
DirectRowsFunction<Real> direct_rows();

}  // namespace convoy::backend::cpu
