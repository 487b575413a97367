// Kernels that are sums of a few products of functions of one axis each: a Gaussian is one such product.
#pragma once

#include <array>
#include <vector>

#include "convoy/spec.hpp"

namespace convoy::inline v0 {

/// kernel[z][y][x] = sum over terms of factors[2][z] * factors[1][y] * factors[0][x].
struct SeparableTerm {
  std::array<std::vector<double>, 3> factors;
};

/// What may be left of a kernel, relative to its norm, when its terms are taken away: 1e-7 in f32, 5e-15 in f64. The
/// numbers of a kernel that is stored in f32 are not better known; the terms themselves are rounded to 1e-15.
double separable_tolerance(Precision precision);

/// The fewest terms that make the kernel up to the tolerance, by its singular vectors: planes along axis 2 first, then
/// each in rows and columns. Factors along axes of one element are 1, unless there are no others. Empty if that takes
/// more than `at_most`. `extent` has the fastest axis first.
std::vector<SeparableTerm> separable_terms(const std::vector<double>& kernel, const std::array<Index, 3>& extent,
                                           double tolerance, int at_most);

}  // namespace convoy::inline v0
