// The search over all ways to cut and pad: least cost among those that fit.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "convoy/plan.hpp"
#include "planner/axis.hpp"
#include "planner/ceilings.hpp"
#include "planner/cost.hpp"
#include "planner/host_needs.hpp"
#include "planner/layout.hpp"

namespace convoy::inline v0 {

/// The bytes that all buffers together may have, and what sets that limit.
struct Budget {
  std::uint64_t bytes = UINT64_MAX;
  std::string limit_name = "no limit";
};
Budget budget_of(const Limits& limits, const PlanOptions& options);

/// OutOfMemory::limit_name() of plans that need more than PlanOptions::host_memory_limit_bytes.
inline constexpr const char* kHostMemoryLimit = "host memory limit";

/// The tuning that options ask for, with what decides the layout filled in.
FftTuning tuning_of_layout(const Limits& limits, const PlanOptions& options);

/// Threads that may take whole tiles each (has_lanes()); 1: none do. Readers and writers take one tile after the other,
/// outputs that are folded add up in order, and deterministic plans do not depend on how many threads there are.
int lanes_of(const ConvolutionSpec& spec, const Limits& limits, const PlanOptions& options);

struct Tiling {
  std::array<AxisPlan, 3> axes;
  TileLayout layout;
  TileCost cost;  ///< of one batch of tiles
  int num_in_flight = 1;
  HostNeeds host;
  std::uint64_t footprint_bytes = 0;
  Index num_batches = 1;  ///< sequences of launches in a run

  Index num_tiles() const { return axes[0].num_tiles * axes[1].num_tiles * axes[2].num_tiles; }
  double seconds() const { return run_seconds(cost, num_batches, num_in_flight); }
};

/// What became of convolving the whole image at once.
struct WholeImage {
  int too_long_axis = -1;  ///< no single transform of this device spans that axis
  std::uint64_t smallest_footprint_bytes = UINT64_MAX;
  std::uint64_t smallest_host_bytes = UINT64_MAX;
  std::optional<BrokenCeiling> broken_ceiling;  ///< of the one with the smallest footprint
  double seconds = 0;                           ///< of the cheapest one that fits; 0 if none does
};

/// A way that the budget does not allow.
struct BeyondBudget {
  std::uint64_t footprint_bytes = 0;
  double seconds = 0;
};

struct SearchResult {
  Tiling chosen;
  std::uint64_t smallest_footprint_bytes = 0;
  WholeImage whole;
  /// The least memory that nearly reaches the speed of any, where what was chosen takes several times as long.
  std::optional<BeyondBudget> fast_with;
};

/// Of the options' path, or of all that transform. Throws OutOfMemory or Error(unsupported, invalid_argument) as
/// make_plan() does.
SearchResult search_tilings(const ConvolutionSpec& spec, const Limits& limits, const PlanOptions& options,
                            const Budget& budget);

/// What tuning may try: the ways that fit, least predicted time first. Throws what search_tilings() throws.
std::vector<PlanChoice> likeliest_choices(const ConvolutionSpec& spec, const Limits& limits, const PlanOptions& options,
                                          std::size_t at_most);

}  // namespace convoy::inline v0
