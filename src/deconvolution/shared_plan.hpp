// How several devices share a deconvolution.
#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <vector>

#include "convoy/deconvolution.hpp"

namespace convoy::inline v0 {

/// With a scratch file, what the machine has free is a limit even where none is given.
PlanOptions with_host_limit(PlanOptions options);

struct SharedPlan {
  PlanOptions options;               ///< of each device's plan
  std::optional<FastTiling> tiling;  ///< if they share fast tiles: these, of all devices
  bool together = false;             ///< they share the convolutions of exact tiles
};

/// The number of fast tiles grows from one cut to the next, which are the same for all devices: the finest cut that one
/// of them needs is tried on the others. Calls `leave_out` with the number of each device that has no plan and why.
SharedPlan share_plan(const DeconvolutionSpec& spec, const std::vector<Device>& devices, const PlanOptions& options,
                      const std::function<void(std::size_t, std::exception_ptr)>& leave_out);

}  // namespace convoy::inline v0
