#include "planner/ceilings.hpp"

#include <algorithm>

#include "planner/lengths.hpp"

namespace convoy::inline v0 {
namespace {

constexpr std::uint64_t kMostElements = UINT32_MAX;

struct Slot {
  const char* name;
  std::uint64_t bytes;
  std::uint64_t most_indexed_bytes;
};

}  // namespace

std::optional<BrokenCeiling> broken_ceiling(const TileLayout& tile, const Limits& limits) {
  const std::uint64_t real = real_bytes(tile.precision);
  const bool gpu = limits.shared_memory_bytes > 0;
  const std::uint64_t reals = real * kMostElements;
  const Slot slots[] = {
      {"image tile", tile.image_bytes(), gpu ? reals : UINT64_MAX},
      {"work buffer", sums_directly(tile.path) ? 0 : std::max(tile.work_slot_bytes(), tile.product_slot_bytes()),
       gpu ? 2 * reals : UINT64_MAX},
      {"kernel spectrum", saturating_product(tile.spectrum_bytes(), static_cast<std::uint64_t>(tile.kernels_at_once)),
       reals}};
  for (const Slot& slot : slots) {
    const auto exceeds = [&](std::uint64_t limit_bytes) { return limit_bytes > 0 && slot.bytes > limit_bytes; };
    if (exceeds(limits.max_binding_bytes)) {
      return BrokenCeiling{slot.name, slot.bytes, limits.max_binding_bytes, "largest binding"};
    }
    if (exceeds(limits.max_allocation_bytes)) {
      return BrokenCeiling{slot.name, slot.bytes, limits.max_allocation_bytes, "largest allocation"};
    }
    if (exceeds(slot.most_indexed_bytes)) {
      return BrokenCeiling{slot.name, slot.bytes, slot.most_indexed_bytes, "32-bit indices"};
    }
  }
  return std::nullopt;
}

}  // namespace convoy::inline v0
