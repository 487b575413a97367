#include "planner/lengths.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "device_model/common.hpp"

namespace convoy::inline v0 {
namespace {

constexpr std::array<Index, 6> kRadices{2, 3, 5, 7, 11, 13};

bool is_power_of_two(Index length) { return std::has_single_bit(static_cast<std::uint64_t>(length)); }

void append_products(Index product, std::size_t radix, Index up_to, std::vector<Index>& lengths) {
  if (radix == kRadices.size()) {
    lengths.push_back(product);
    return;
  }
  append_products(product, radix + 1, up_to, lengths);
  if (product <= up_to / kRadices[radix]) append_products(product * kRadices[radix], radix, up_to, lengths);
}

}  // namespace

bool is_smooth(Index length) {
  if (length < 1) return false;
  for (const Index radix : kRadices) {
    while (length % radix == 0) length /= radix;
  }
  return length == 1;
}

Index next_smooth(Index at_least) {
  Index length = std::max<Index>(at_least, 1);
  while (!is_smooth(length)) ++length;
  return length;
}

double length_weight(Index length) {
  if (length == 1) return 1;
  const int powers_of_two = std::countr_zero(static_cast<std::uint64_t>(length));
  return 1 + device_model::kCostOfMissingTwo * std::max(0, device_model::kTwosThatHelp - powers_of_two);
}

std::string factors_to_text(Index length) {
  std::string text;
  Index rest = length;
  for (const Index radix : kRadices) {
    int exponent = 0;
    for (; rest % radix == 0; rest /= radix) ++exponent;
    if (exponent == 0) continue;
    text += fmt::format("{}{}", text.empty() ? "" : "*", radix);
    if (exponent > 1) text += fmt::format("^{}", exponent);
  }
  if (rest > 1 || text.empty()) text += fmt::format("{}{}", text.empty() ? "" : "*", rest);
  return text;
}

TransformLengths::TransformLengths(const Limits& limits, Precision precision, bool contiguous, Index longest_needed)
    : shared_memory_bytes_(limits.shared_memory_bytes),
      bytes_per_element_(contiguous ? complex_bytes(precision)
                                    : std::max(limits.coalesced_bytes, complex_bytes(precision))) {
  Index up_to = 2 * longest_needed;
  if (shared_memory_bytes_ > 0) {
    up_to = std::min(up_to, static_cast<Index>(shared_memory_bytes_ / bytes_per_element_));
  }
  append_products(1, 0, up_to, lengths_);
  std::erase_if(lengths_, [this](Index length) { return !fits_device(length); });
  std::sort(lengths_.begin(), lengths_.end());
}

bool TransformLengths::fits_device(Index length) const {
  if (length == 1 || shared_memory_bytes_ == 0) return true;
  const std::uint64_t usable = is_power_of_two(length) ? std::bit_floor(shared_memory_bytes_) : shared_memory_bytes_;
  return static_cast<std::uint64_t>(length) <= usable / bytes_per_element_;
}

bool TransformLengths::admits(Index length) const { return is_smooth(length) && fits_device(length); }

std::optional<Index> TransformLengths::smallest(Index at_least) const {
  const auto found = std::lower_bound(lengths_.begin(), lengths_.end(), at_least);
  if (found == lengths_.end()) return std::nullopt;
  return *found;
}

std::optional<Index> TransformLengths::cheapest(Index at_least) const {
  const auto cost = [](Index length) { return static_cast<double>(length) * length_weight(length); };
  auto best = std::lower_bound(lengths_.begin(), lengths_.end(), at_least);
  if (best == lengths_.end()) return std::nullopt;
  // Weights are at least 1, so no length above the best cost can be cheaper.
  for (auto it = best; it != lengths_.end() && static_cast<double>(*it) < cost(*best); ++it) {
    if (cost(*it) < cost(*best)) best = it;
  }
  return *best;
}

}  // namespace convoy::inline v0
