// Whether the device keeps a kernel's whole spectrum, or transforms the kernel along the last axis each time on the
// way: fewer bytes, more computing.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "convoy/device.hpp"
#include "planner/cost.hpp"
#include "planner/layout.hpp"

namespace convoy::inline v0 {

/// The layout of these axes, which has the whole spectrum, with what is stored of the kernel: what the tuning asks for,
/// if passes can do that, else what takes less time; the spectrum only if it `fits`.
TileLayout with_filter_stored(const TileLayout& whole, bool fits, const std::array<const AxisPlan*, 3>& axes,
                              const Limits& limits, FilterStorage storage, const CostModel& costs);

/// What transforming the kernel on the way adds to a tile; 0 if the layout does not, or the device does not report how
/// many multiprocessors it has.
double seconds_of_kernel_on_the_way(const TileLayout& layout, const Limits& limits);

/// For people: what is kept of the kernel, if it is less than its spectrum.
std::optional<std::string> reason_of_kernel_storage(const TileLayout& layout);

}  // namespace convoy::inline v0
