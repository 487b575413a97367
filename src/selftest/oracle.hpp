// The truth for small images: the definitions of convoy/spec.hpp written down as direct double-precision sums.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "convoy/convoy.hpp"

namespace convoy::oracle {

/// Zero-mean normal values, the same for the same seed on every machine.
std::vector<double> random_values(std::size_t count, std::uint64_t seed);
std::vector<double> random_image(const Shape& shape, std::uint64_t seed);

/// The product of such values along each axis.
std::vector<double> random_separable(const Shape& shape, std::uint64_t seed);

/// The output of spec on doubles. spec.origin must not be Rule::peak; normalize_kernel is honoured.
std::vector<double> direct(const ConvolutionSpec& spec, const std::vector<double>& image,
                           const std::vector<double>& kernel);

/// |a - b| / |b| in the Euclidean norm; NaN anywhere gives infinity.
template <class T>
double relative_l2(const std::vector<T>& a, const std::vector<double>& b);

/// "3x4x5 * 2x2x2 same reflect center correlate f32".
std::string to_text(const ConvolutionSpec& spec);

}  // namespace convoy::oracle
