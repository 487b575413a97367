// Knobs of the transform passes, and what measuring them found. Plans hold them; who tunes or measures sets them.
#pragma once

#include <cstdint>

#include "convoy/export.h"
#include "convoy/shape.hpp"

namespace convoy::inline v0 {

/// What native paths keep of the kernel.
enum class FilterStorage {
  automatic,  ///< the whole spectrum, or compact where that takes less time or nothing else fits
  spectrum,   ///< the whole spectrum
  compact     ///< along the last transformed axis the kernel as it is, transformed each time on the way, if passes can:
              ///< it must be short there, at most half of the transform
};
CONVOY_API const char* name(FilterStorage storage);

/// Knobs of the transform passes: they change speed, not results. 0 leaves the choice to the planner.
struct FftTuning {
  std::uint64_t coalesced_bytes = 0;  ///< width of a strided access, a power of two; not below Limits::coalesced_bytes
  std::uint64_t aim_threads = 0;      ///< threads of a workgroup that VkFFT aims at
  Index pitch_alignment = 0;       ///< rows of work buffer and spectrum start at multiples of so many complex numbers
  bool swap_strided_axes = false;  ///< of two strided axes, transform the other one last
  FilterStorage filter_storage = FilterStorage::automatic;
  bool measure_transforms = false;  ///< CPU: FFTW plans by measuring (FFTW_MEASURE); what it learns is kept as wisdom
  constexpr bool operator==(const FftTuning&) const = default;
};

/// One way to cut, pad and tune, as wisdom keeps it. z, y, x.
struct PlanChoice {
  Shape padded;
  Shape num_tiles;
  FftTuning tuning;
  constexpr bool operator==(const PlanChoice&) const = default;
};

}  // namespace convoy::inline v0
