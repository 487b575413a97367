// Whether the device keeps a kernel's whole spectrum, or transforms the kernel along the last axis each time on the
// way: fewer bytes, more computing.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "convoy/device.hpp"
#include "plan/cost.hpp"
#include "plan/layout.hpp"

namespace convoy {

/// The layout with what is stored of a kernel that has this extent along the last transformed axis: what the tuning
/// asks for, if passes can do that, else what `fits`, else what takes less time.
TileLayout with_kernel_stored(const TileLayout& whole, Index kernel_extent, const Limits& limits, KernelStorage storage,
                              const CostModel& costs, const std::function<bool(const TileLayout&)>& fits);

/// What transforming the kernel on the way adds to a tile; 0 if the layout does not, or the device does not tell how
/// many multiprocessors it has.
double seconds_of_kernel_on_the_way(const TileLayout& layout, const Limits& limits);

/// For people: what is kept of the kernel, if it is less than its spectrum.
std::optional<std::string> reason_of_kernel_storage(const TileLayout& layout);

}  // namespace convoy
