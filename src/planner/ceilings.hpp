// The largest that a single buffer may be.
#pragma once

#include <optional>
#include <string>

#include "planner/layout.hpp"

namespace convoy::inline v0 {

struct BrokenCeiling {
  const char* slot_name;
  std::uint64_t slot_bytes;
  std::uint64_t limit_bytes;
  const char* limit_name;
};

/// The first buffer of the tile that is too large for the device, if any: "largest allocation", "largest binding", or
/// "32-bit indices" (kernels count elements with 32 bits; place_kernel counts the spectrum's reals on every device).
std::optional<BrokenCeiling> broken_ceiling(const TileLayout& tile, const Limits& limits);

}  // namespace convoy::inline v0
