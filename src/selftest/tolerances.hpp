// How far results may be from the truth: every tolerance of the contract suite, the self-test and the benchmarks.
#pragma once

#include "convoy/spec.hpp"

namespace convoy::tolerances {

/// Of a convolution, to the direct double-precision sum. Relative L2.
constexpr double convolution(Precision precision) { return precision == Precision::f32 ? 5e-6 : 1e-13; }

/// Of two devices' convolutions to each other: each may be off by convolution(). Relative L2.
constexpr double between_devices(Precision precision) { return 2 * convolution(precision); }

/// Of `passes` convolutions, each of the one before. Relative L2.
constexpr double in_a_row(int passes, Precision precision) { return passes * convolution(precision); }

/// Of <A x, y> and <x, A' y> in single precision, relative to the sum of |(A x)[i] y[i]|.
inline constexpr double kAdjoint = 1e-5;

/// Of the output's sum that a run reports, relative to the sum of |output[i]|.
inline constexpr double kFlux = 1e-5;

/// Of single-precision images with a few small whole numbers, delta images among them. Relative L2.
inline constexpr double kFewVoxels = 2e-6;

}  // namespace convoy::tolerances
