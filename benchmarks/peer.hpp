// What convoy is compared with: the same problem by the padded real-to-complex transform of a vendor's library, with
// the kernel's spectrum made beforehand.
#pragma once

#include "problem.hpp"
#include "result.hpp"

namespace convoy::bench {

/// The padded sizes that such a pipeline takes: n + k - 1 (n in Mode::circular), rounded up to factors 2, 3, 5, 7.
Shape peer_padding(const ConvolutionSpec& spec);

/// Where the output begins in the padded result.
Shape crop_offset(const ConvolutionSpec& spec);

/// The kernel's voxels in an array of shape `padded` and rows of `pitch` reals: from index 0 on, or for Mode::circular
/// wrapped round so that its origin lies at 0 (added up where it is longer than the image).
template <class Real>
void place_kernel(const Problem& problem, const Shape& padded, Index pitch, Real* target);

// Neither throws: what keeps a peer from running is reported in Result::failure.

/// FFTW, r2c of the whole padded array on all threads, FFTW_MEASURE.
Result run_fftw_peer(const Problem& problem, const Samples& samples, int repeats);

/// cuFFT on a CUDA device: kernels that pad, multiply and crop, and R2C and C2R transforms of the padded array.
Result run_cufft_peer(const Problem& problem, const Samples& samples, int cuda_ordinal, int repeats);

}  // namespace convoy::bench
