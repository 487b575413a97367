#include "kernels/fft_skew.hpp"

#include <algorithm>
#include <array>

#include "kernels/fft_plan.hpp"

namespace convoy {
namespace {

constexpr Index kBanks = 16;
constexpr Index kMostGap = 8;
/// Gaps shall not take more than this part of the row.
constexpr Index kMostWaste = 8;

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
bool keeps_distances(Index every, const std::vector<Stage>& stages) {
  return std::all_of(stages.begin(), stages.end(), [every](const Stage& stage) {
    return one_divides_other(every, stage.stride) && one_divides_other(every, stage.sub_length);
  });
}

/// Turns that 16 neighbouring threads need for one access each.
class Turns {
 public:
  void touch(Index place) { ++count_[static_cast<std::size_t>(place % kBanks)]; }
  Index taken() const { return *std::max_element(count_.begin(), count_.end()); }

 private:
  std::array<Index, kBanks> count_{};
};

/// Of every stage but the last, which works on pairs.
Index turns_of_stages(const Skew& skew, const std::vector<Stage>& stages, Index length) {
  Index turns = 0;
  for (std::size_t i = 0; i + 1 < stages.size(); ++i) {
    const Stage& stage = stages[i];
    const Index radix = stage.sub_length / stage.stride;
    for (Index begin = 0; begin < length / radix; begin += kBanks) {
      Turns access;
      for (Index b = begin; b < std::min(begin + kBanks, length / radix); ++b) {
        access.touch(skew.place(b / stage.stride * stage.sub_length + b % stage.stride));
      }
      turns += radix * access.taken();
    }
  }
  return turns;
}

Index turns_of_pairs(const Skew& skew, const std::vector<MirroredButterflies>& pairs, Index radix) {
  Index turns = 0;
  for (std::size_t begin = 0; begin < pairs.size(); begin += kBanks) {
    Turns first;
    Turns second;
    for (std::size_t i = begin; i < std::min(begin + kBanks, pairs.size()); ++i) {
      first.touch(skew.place(pairs[i].first));
      second.touch(skew.place(pairs[i].second));
    }
    turns += radix * (first.taken() + second.taken());
  }
  return turns;
}

}  // namespace

Skew best_skew(const std::vector<Index>& radices) {
  const std::vector<Stage> stages = stages_of(radices);
  const std::vector<MirroredButterflies> pairs = mirrored_butterflies(radices);
  const Index length = stages.front().sub_length;
  const auto turns_with = [&](const Skew& skew) {
    return 2 * turns_of_stages(skew, stages, length) + turns_of_pairs(skew, pairs, radices.back());
  };
  Skew best;
  Index fewest = turns_with(best);
  for (Index every = 4; every <= length / 2; ++every) {
    if (length % every != 0 || !keeps_distances(every, stages)) continue;
    for (Index gap = 1; gap <= std::min(kMostGap, every / kMostWaste + 1); ++gap) {
      const Skew skew{every, gap};
      const Index turns = turns_with(skew);
      if (turns >= fewest) continue;
      fewest = turns;
      best = skew;
    }
  }
  return best;
}

}  // namespace convoy
