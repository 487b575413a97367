#include "fft/bank_padding.hpp"

#include <algorithm>
#include <array>

#include "device_model/common.hpp"
#include "fft/plan.hpp"

namespace convoy::inline v0 {
namespace {

using device_model::kBanks;

struct Stage {
  Index sub_length;
  Index stride;
};

std::vector<Stage> stages_of(const std::vector<Index>& radices) {
  Index length = 1;
  for (const Index radix : radices) length *= radix;
  std::vector<Stage> stages;
  for (const Index radix : radices) {
    stages.push_back({length, length / radix});
    length /= radix;
  }
  return stages;
}

bool one_divides_other(Index a, Index b) { return a % b == 0 || b % a == 0; }

/// Whether the elements of a butterfly lie at constant distances from its first.
bool keeps_distances(Index period, const std::vector<Stage>& stages) {
  return std::all_of(stages.begin(), stages.end(), [period](const Stage& stage) {
    return one_divides_other(period, stage.stride) && one_divides_other(period, stage.sub_length);
  });
}

/// Serialised accesses that 16 neighbouring threads need for one element each.
class BankConflicts {
 public:
  void touch(Index place) { ++per_bank_[static_cast<std::size_t>(place % kBanks)]; }
  Index count() const { return *std::max_element(per_bank_.begin(), per_bank_.end()); }

 private:
  std::array<Index, kBanks> per_bank_{};
};

/// Of every stage but the last, which works on pairs.
Index bank_conflicts_of_stages(const BankPadding& padding, const std::vector<Stage>& stages, Index length) {
  Index conflicts = 0;
  for (std::size_t i = 0; i + 1 < stages.size(); ++i) {
    const Stage& stage = stages[i];
    const Index radix = stage.sub_length / stage.stride;
    for (Index begin = 0; begin < length / radix; begin += kBanks) {
      BankConflicts access;
      for (Index b = begin; b < std::min(begin + kBanks, length / radix); ++b) {
        access.touch(padding.place(b / stage.stride * stage.sub_length + b % stage.stride));
      }
      conflicts += radix * access.count();
    }
  }
  return conflicts;
}

Index bank_conflicts_of_pairs(const BankPadding& padding, const std::vector<MirroredButterflies>& pairs, Index radix) {
  Index conflicts = 0;
  for (std::size_t begin = 0; begin < pairs.size(); begin += kBanks) {
    BankConflicts first;
    BankConflicts second;
    for (std::size_t i = begin; i < std::min<std::size_t>(begin + kBanks, pairs.size()); ++i) {
      first.touch(padding.place(pairs[i].first));
      second.touch(padding.place(pairs[i].second));
    }
    conflicts += radix * (first.count() + second.count());
  }
  return conflicts;
}

}  // namespace

BankPadding best_bank_padding(const std::vector<Index>& radices) {
  const std::vector<Stage> stages = stages_of(radices);
  const std::vector<MirroredButterflies> pairs = mirrored_butterflies(radices);
  const Index length = stages.front().sub_length;
  const auto bank_conflicts_with = [&](const BankPadding& padding) {
    return 2 * bank_conflicts_of_stages(padding, stages, length) +
           bank_conflicts_of_pairs(padding, pairs, radices.back());
  };
  BankPadding best;
  Index fewest = bank_conflicts_with(best);
  for (Index period = 4; period <= length / 2; ++period) {
    if (length % period != 0 || !keeps_distances(period, stages)) continue;
    for (Index pad = 1; pad <= std::min(device_model::kMostPad, period / device_model::kMostWaste + 1); ++pad) {
      const BankPadding padding{period, pad};
      const Index conflicts = bank_conflicts_with(padding);
      if (conflicts >= fewest) continue;
      fewest = conflicts;
      best = padding;
    }
  }
  return best;
}

}  // namespace convoy::inline v0
