// From a spec to a loaded session: plan, load, and plan again for less when the device has less than it said.
#pragma once

#include <memory>

#include "backends/backend.hpp"
#include "convoy/convolution.hpp"

namespace convoy {

struct LoadedPlan {
  Plan plan;
  Program program;
  std::unique_ptr<backend::Session> session;
};

/// Throws what make_plan and Device::load throw; OutOfMemory only after smaller plans have failed too.
LoadedPlan load_plan(const ConvolutionSpec& spec, Device& device, const ConvolverOptions& options);

}  // namespace convoy
