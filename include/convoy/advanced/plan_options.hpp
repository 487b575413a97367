// The part of PlanOptions that is for tests, measurements and tuning by hand.
#pragma once

#include <cstdint>
#include <optional>

#include "convoy/advanced/fft_tuning.hpp"

namespace convoy::inline v0 {

/// Knobs of sums without transforms that read arrays on the device: they change speed, not results. 0: convoy's choice.
struct SumTuning {
  Index threads_y = 0;  ///< of a workgroup, which has 32 along x
  Index rows = 0;       ///< that a thread computes, two outputs of each
  Index planes = 0;     ///< along z that a workgroup goes through
  Index run = 0;        ///< separable: outputs of a row that a thread computes at once, an even number
  constexpr bool operator==(const SumTuning&) const = default;
};

struct AdvancedPlanOptions {
  Index min_tiles = 1;  ///< for tests: at least so many tiles
  int min_sets = 1;     ///< for tests: at least so many tiles in flight
  /// At most so many tiles in flight. On the cpu, whose threads then take whole tiles side by side, more than 1 lets
  /// all of them do so, and 1 has them share each tile.
  int max_sets = 3;
  std::uint64_t piece_bytes = 8 << 20;  ///< of a tile's transfers; see Plan::piece_extent
  /// Exactly these tiles: output voxels of all but the last on each axis; of deconvolutions, fast tiles' cores.
  std::optional<Shape> tile_output;
  FftTuning tuning;
  SumTuning sum_tuning;
  std::optional<PlanChoice> choice;  ///< take this one (its tuning, too) instead of choosing
};

}  // namespace convoy::inline v0
