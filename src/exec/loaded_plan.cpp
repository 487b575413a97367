#include "exec/loaded_plan.hpp"

#include <cstdlib>
#include <string_view>

#include "exec/tuning.hpp"

namespace convoy {

bool sentinels_wanted(bool asked_for) {
  const char* variable = std::getenv("CONVOY_SENTINELS");
  return asked_for || (variable != nullptr && std::string_view(variable) == "1");
}

LoadedPlan load_plan(const ConvolutionSpec& spec, Device& device, const ConvolverOptions& options) {
  const Limits limits = device.limits();  // once: asking is slow on some drivers
  return load_replanning(
      device, tuned(spec, device, limits, options.plan), {options.trace_memory, sentinels_wanted(options.sentinels)},
      [&](const PlanOptions& plan_options) { return make_plan(spec, limits, plan_options); },
      [](const Plan& plan) { return plan.path; });
}

}  // namespace convoy
