// From a spec to a loaded session: plan, load, and plan again for less when the device has less than it said.
#pragma once

#include "convoy/convolution.hpp"
#include "engine/load_with_retry.hpp"

namespace convoy {

using LoadedPlan = Loaded<Plan>;

/// The limit given, or what a Convolver takes for it.
std::uint64_t host_memory_limit(const PlanOptions& options);

/// Throws what make_plan and Device::load throw; OutOfMemory only after smaller plans have failed too.
LoadedPlan load_plan(const ConvolutionSpec& spec, Device& device, const ConvolverOptions& options);

}  // namespace convoy
