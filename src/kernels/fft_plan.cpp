#include "kernels/fft_plan.hpp"

#include <algorithm>
#include <numbers>
#include <numeric>

namespace convoy {
namespace {

/// Splits into `count` factors of at most `largest`, in falling order.
bool split(Index length, std::size_t count, Index largest, std::vector<Index>& factors) {
  if (count == 1) {
    if (length > largest) return false;
    factors.push_back(length);
    return true;
  }
  for (Index factor = std::min(largest, length); factor > 1; --factor) {
    if (length % factor != 0) continue;
    factors.push_back(factor);
    if (split(length / factor, count - 1, factor, factors)) return true;
    factors.pop_back();
  }
  return false;
}

}  // namespace

std::optional<std::vector<Index>> radices_of(Index length) {
  std::vector<Index> factors;
  if (length == 1) return factors;
  constexpr std::size_t kMostFactors = 8;
  for (std::size_t count = 1; count <= kMostFactors; ++count) {
    for (Index largest = 2; largest <= kLargestRadix; ++largest) {
      if (!split(length, count, largest, factors)) continue;
      std::sort(factors.begin(), factors.end());
      return factors;
    }
  }
  return {};
}

std::vector<Index> frequencies_in_place(const std::vector<Index>& radices) {
  std::vector<Index> frequencies{0};
  Index weight = 1;
  for (const Index radix : radices) {
    std::vector<Index> finer;
    for (const Index frequency : frequencies) {
      for (Index k = 0; k < radix; ++k) finer.push_back(frequency + k * weight);
    }
    frequencies = std::move(finer);
    weight *= radix;
  }
  return frequencies;
}

std::vector<std::complex<double>> roots_of_unity(Index length) {
  std::vector<std::complex<double>> roots;
  for (Index k = 0; k < length; ++k) {
    roots.push_back(std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(length)));
  }
  return roots;
}

std::vector<FrequencyPair> stored_frequencies(const std::vector<Index>& radices) {
  const std::vector<Index> frequencies = frequencies_in_place(radices);
  const auto length = static_cast<Index>(frequencies.size());
  std::vector<Index> position(frequencies.size());
  for (Index at = 0; at < length; ++at)
    position[static_cast<std::size_t>(frequencies[static_cast<std::size_t>(at)])] = at;
  std::vector<FrequencyPair> pairs;
  for (Index at = 0; at < length; ++at) {
    const Index frequency = frequencies[static_cast<std::size_t>(at)];
    if (2 * frequency > length) continue;
    pairs.push_back({at, position[static_cast<std::size_t>((length - frequency) % length)]});
  }
  return pairs;
}

}  // namespace convoy
