// The FFT that convoy carries itself where it was built with DUCC's (BSD-3): what the cpu has without FFTW.
#pragma once

#include "backends/cpu/fftw_functions.hpp"

namespace convoy::backend::cpu {

/// Nullptr if this build has none. Its plans are right for unaligned buffers, too, and measuring changes nothing.
template <class Real>
const FftwFunctions<Real>* builtin_fft();

/// Why this build has none and how to get it; empty if it has.
const char* builtin_fft_missing();

}  // namespace convoy::backend::cpu
