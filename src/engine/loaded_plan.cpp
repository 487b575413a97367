#include "engine/loaded_plan.hpp"

#include "base/host_memory.hpp"
#include "engine/tuning.hpp"

namespace convoy {
namespace {

/// Of what the machine has free, unless a limit is given.
constexpr double kShareOfHostMemory = 0.9;

}  // namespace

std::uint64_t host_memory_limit(const PlanOptions& options) {
  if (options.host_memory_limit_bytes > 0) return options.host_memory_limit_bytes;
  if (options.deterministic) return total_host_bytes() / 2;
  return static_cast<std::uint64_t>(kShareOfHostMemory * static_cast<double>(available_host_bytes()));
}

LoadedPlan load_plan(const ConvolutionSpec& spec, Device& device, const ConvolverOptions& options) {
  const Limits limits = device.limits();  // once: asking is slow on some drivers
  PlanOptions plan_options = options.plan;
  plan_options.host_memory_limit_bytes = host_memory_limit(plan_options);
  return plan_and_load(
      device, tuned(spec, device, limits, plan_options), {options.trace_memory, sentinels_wanted(options.sentinels)},
      [&](const PlanOptions& attempt) { return make_plan(spec, limits, attempt); },
      [](const Plan& plan) { return plan.path; });
}

}  // namespace convoy
