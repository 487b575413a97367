#include "fft/plan.hpp"

#include <algorithm>
#include <numbers>
#include <numeric>

#include "device_model/common.hpp"

namespace convoy::inline v0 {
namespace {

constexpr std::size_t kMostFactors = 8;

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

/// Adds factors of at least `smallest` in rising order, `count` of them, to the best ones if their sum is smaller.
void split_evenly(Index length, std::size_t count, Index smallest, Index largest, std::vector<Index>& factors,
                  std::vector<Index>& best) {
  if (count == 0) {
    const auto sum = [](const std::vector<Index>& of) { return std::accumulate(of.begin(), of.end(), Index{0}); };
    if (length == 1 && (best.empty() || sum(factors) < sum(best))) best = factors;
    return;
  }
  for (Index factor = smallest; factor <= std::min(largest, length); ++factor) {
    if (length % factor != 0) continue;
    factors.push_back(factor);
    split_evenly(length / factor, count - 1, factor, largest, factors, best);
    factors.pop_back();
  }
}

/// As few factors as possible, of the least sum: as even as they can be.
std::optional<std::vector<Index>> smallest_sum(Index length, Index largest) {
  std::vector<Index> factors;
  std::vector<Index> best;
  if (length == 1) return best;
  for (std::size_t count = 1; count <= kMostFactors; ++count) {
    split_evenly(length, count, 2, largest, factors, best);
    if (!best.empty()) return best;
  }
  return {};
}

}  // namespace

std::optional<std::vector<Index>> radices_of(Index length, Index largest_allowed) {
  std::vector<Index> factors;
  if (length == 1) return factors;
  for (std::size_t count = 1; count <= kMostFactors; ++count) {
    for (Index largest = 2; largest <= largest_allowed; ++largest) {
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

KernelRoots::KernelRoots(const std::vector<Index>& radices) : radices_(radices) {
  for (const Index radix : radices) length_ *= radix;
  Index stride = length_;
  for (const Index radix : radices) begin_ += stride /= radix;
  count_ = length_ / radices.back();
}

std::vector<std::complex<double>> KernelRoots::numbers(Index place) const {
  const std::vector<std::complex<double>> roots = roots_of_unity(length_);
  const std::vector<Index> frequencies = frequencies_in_place(radices_);
  const Index radix = radices_.back();
  std::vector<std::complex<double>> numbers;
  for (const Index exponent : {radix, place / radix * radix, Index{1}}) {
    for (Index b = 0; b < count_; ++b) {
      const Index frequency = frequencies[static_cast<std::size_t>(b * radix)];
      numbers.push_back(roots[static_cast<std::size_t>(frequency * exponent % length_)]);
    }
  }
  return numbers;
}

std::optional<std::vector<Index>> column_radices_of(Index length) {
  return radices_of(length, device_model::kLargestColumnRadix);
}

bool has_large_butterfly(const std::vector<Index>& radices) {
  return std::any_of(radices.begin(), radices.end(),
                     [](Index radix) { return radix >= device_model::kLargeButterfly; });
}

std::optional<std::vector<Index>> product_radices_of(Index length, bool many_registers) {
  auto radices = column_radices_of(length);
  if (many_registers && radices && radices->size() > 2) {
    for (Index last = 2; last <= device_model::kLargestWithFactors; ++last) {
      if (length % last == 0 && length / last <= device_model::kLargestOfTwo)
        return std::vector<Index>{length / last, last};
    }
  }
  if (radices && has_large_butterfly(*radices) && length / radices->front() <= device_model::kMostThreadsOfFactors) {
    std::reverse(radices->begin(), radices->end());
  }
  return radices;
}

std::optional<std::vector<Index>> line_radices_of(Index length) {
  constexpr Index kTwoFirst = device_model::kFirstLineRadix * device_model::kFirstLineRadix;
  auto radices = smallest_sum(length, length % kTwoFirst == 0 ? device_model::kLargestLineRadix : kLargestRadix);
  if (radices) {
    std::stable_partition(radices->begin(), radices->end(),
                          [](Index radix) { return radix == device_model::kFirstLineRadix; });
  }
  return radices;
}

std::optional<std::vector<Index>> row_radices_of(Index length) {
  auto radices = radices_of(length);
  if (radices && !radices->empty()) std::rotate(radices->begin(), radices->begin() + 1, radices->end());
  return radices;
}

std::vector<MirroredButterflies> mirrored_butterflies(const std::vector<Index>& radices) {
  const std::vector<Index> frequencies = frequencies_in_place(radices);
  const Index radix = radices.back();
  const Index count = static_cast<Index>(frequencies.size()) / radix;
  std::vector<Index> position(static_cast<std::size_t>(count));
  for (Index b = 0; b < count; ++b) {
    position[static_cast<std::size_t>(frequencies[static_cast<std::size_t>(b * radix)])] = b * radix;
  }
  std::vector<MirroredButterflies> pairs;
  for (Index c = 1; c < count; ++c) {
    const MirroredButterflies pair{position[static_cast<std::size_t>(c)],
                                   position[static_cast<std::size_t>(count - c)]};
    if (pair.first < pair.second) pairs.push_back(pair);
  }
  std::sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  pairs.push_back({0, count % 2 == 0 ? position[static_cast<std::size_t>(count / 2)] : 0});
  return pairs;
}

StoredColumns::StoredColumns(const std::vector<Index>& radices) : radix(radices.back()) {
  Index count = 1;
  for (const Index other : radices) count *= other;
  count /= radix;
  num_pairs = (count - 1) / 2;
  has_middle = count % 2 == 0;
  column_step = has_middle ? num_pairs + 1 : num_pairs;
}

/// With a middle butterfly, behind the pairs' columns of each element is place for one more.
Index StoredColumns::special(Index number) const {
  if (!has_middle) return radix * num_pairs + number;
  return number < radix ? number * column_step + num_pairs : radix * column_step;
}

}  // namespace convoy::inline v0
