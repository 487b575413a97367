#include "exec/loaded_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "common/log.hpp"
#include "exec/tuning.hpp"

namespace convoy {
namespace {

// Each attempt asks for four fifths of the one before: six of them reach a quarter of what the device promised.
constexpr int kMaxAttempts = 6;
constexpr double kShrink = 0.8;

bool sentinels_wanted(const ConvolverOptions& options) {
  const char* variable = std::getenv("CONVOY_SENTINELS");
  return options.sentinels || (variable != nullptr && std::string_view(variable) == "1");
}

}  // namespace

LoadedPlan load_plan(const ConvolutionSpec& spec, Device& device, const ConvolverOptions& options) {
  const Limits limits = device.limits();  // once: asking is slow on some drivers
  PlanOptions plan_options = tuned(spec, device, limits, options.plan);
  const backend::LoadOptions load_options{options.trace_memory, sentinels_wanted(options)};
  std::uint64_t smallest_tried = UINT64_MAX;
  for (int attempt = 1;; ++attempt) {
    LoadedPlan loaded;
    try {
      loaded.plan = make_plan(spec, limits, plan_options);
    } catch (const OutOfMemory& problem) {
      if (smallest_tried == UINT64_MAX) throw;
      throw OutOfMemory(fmt::format("{}; the device {} refused {} before, although it had reported enough",
                                    problem.what(), device.info().id, bytes_to_text(smallest_tried)),
                        problem.requested_bytes(), problem.limit_bytes(), problem.limit_name());
    }
    for (const std::string& reason : loaded.plan.reasons) log("plan", "{}: {}", device.info().id, reason);
    loaded.program = make_program(loaded.plan);
    if (log_wanted("dispatch")) log("dispatch", "{}:\n{}", device.info().id, to_text(loaded.program));
    try {
      loaded.session = device.implementation().load(loaded.program, load_options);
      return loaded;
    } catch (const OutOfMemory& problem) {
      smallest_tried = std::min(smallest_tried, loaded.plan.footprint_bytes);
      log("plan", "{}: attempt {}: {}; planning again for less", device.info().id, attempt, problem.what());
      if (attempt == kMaxAttempts) {
        throw OutOfMemory(
            fmt::format("{} has no room: {} attempts failed, the smallest for {} ({}); free some of its memory "
                        "or use another device",
                        device.info().id, attempt, bytes_to_text(smallest_tried), problem.what()),
            smallest_tried, problem.limit_bytes(), problem.limit_name());
      }
      plan_options.choice.reset();  // a smaller plan is another one
      plan_options.memory_limit_bytes =
          static_cast<std::uint64_t>(kShrink * static_cast<double>(loaded.plan.footprint_bytes));
    } catch (const Error& problem) {
      if (problem.code() != Errc::unsupported || loaded.plan.path != Path::fused || !plan_options.allow_fused) throw;
      log("plan", "{}: the fused path is refused ({}); the staged one is used", device.info().id, problem.what());
      plan_options.choice.reset();
      plan_options.allow_fused = false;
    }
  }
}

}  // namespace convoy
