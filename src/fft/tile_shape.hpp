// Whole tiles of a plane in a workgroup's shared memory.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "fft/shape.hpp"

namespace convoy::inline v0 {

/// Rows (axis 0) and columns (axis 1) of complex numbers: two tiles, as real and imaginary part.
struct TileShape {
  std::array<Index, 2> length{1, 1};
  std::array<std::vector<Index>, 2> radices;
  Index pitch = 1;    ///< of rows in shared memory; odd, so that neither rows nor columns share banks
  Index threads = 1;  ///< of a workgroup
  Index groups = 1;   ///< that a multiprocessor's shared memory holds

  Index num_shared() const { return pitch * length[1] + 1; }  ///< one more for what is not finite
};

/// Nothing if the device's shared memory does not hold the tile. `aim_threads`: of a workgroup; 0: the function's
/// choice.
std::optional<TileShape> tile_shape(const std::array<Index, 3>& padded, Precision precision, const Limits& limits,
                                    std::uint64_t aim_threads = 0);

/// Twiddle factors of one axis, stage by stage.
std::vector<std::byte> tile_table(Index length, Precision precision);

}  // namespace convoy::inline v0
