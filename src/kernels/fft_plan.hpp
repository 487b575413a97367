// How convoy's own transform passes take a length apart, and the numbers they look up.
#pragma once

#include <complex>
#include <optional>
#include <vector>

#include "convoy/shape.hpp"

namespace convoy {

/// Largest factor that one thread transforms in its registers.
inline constexpr Index kLargestRadix = 16;

/// Factors of `length`, as few as possible, the largest of them as small as possible, largest last. Nothing if a prime
/// factor is too large. {} for length 1.
std::optional<std::vector<Index>> radices_of(Index length);

/// The frequency that decimation in frequency with these radices leaves at each position (Cooley and Tukey 1965;
/// digits reversed).
std::vector<Index> frequencies_in_place(const std::vector<Index>& radices);

/// exp(-2 pi i k / length), 0 <= k < length.
std::vector<std::complex<double>> roots_of_unity(Index length);

/// Of a row's spectrum, one of each pair of frequencies k and length - k is stored (reals have conjugate-symmetric
/// spectra): the one with 2 k <= length, in the order of its position.
struct FrequencyPair {
  Index position = 0;  ///< of frequency k
  Index mirror = 0;    ///< of frequency (length - k) mod length
};
std::vector<FrequencyPair> stored_frequencies(const std::vector<Index>& radices);

}  // namespace convoy
