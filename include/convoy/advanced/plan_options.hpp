// The part of PlanOptions that is for tests, measurements and tuning by hand.
#pragma once

#include <cstdint>
#include <optional>

#include "convoy/advanced/fft_tuning.hpp"

namespace convoy {

struct AdvancedPlanOptions {
  Index min_tiles = 1;                  ///< for tests: at least so many tiles
  int min_sets = 1;                     ///< for tests: at least so many tiles in flight
  int max_sets = 3;                     ///< at most so many tiles in flight
  std::uint64_t piece_bytes = 8 << 20;  ///< of a tile's transfers; see Plan::piece_extent
  std::optional<Shape> tile_output;     ///< exactly these tiles: output voxels of all but the last on each axis
  FftTuning tuning;
  std::optional<PlanChoice> choice;  ///< take this one (its tuning, too) instead of choosing
};

}  // namespace convoy
