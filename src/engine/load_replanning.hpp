// Loading a plan, and planning again for less when the device has less than it said.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>

#include "backends/backend.hpp"
#include "base/fork.hpp"
#include "base/log.hpp"
#include "convoy/plan.hpp"

namespace convoy {

/// A plan that the device holds ready. Any plan has a footprint_bytes and reasons.
template <class AnyPlan>
struct Loaded {
  AnyPlan plan;
  Program program;
  std::unique_ptr<backend::Session, DeleteUnlessForked<backend::Session>> session;
};

/// Throws what `make` and Device::load throw; OutOfMemory only after smaller plans have failed too, unless the plan
/// must be deterministic.
/// make(options) -> plan; path_of(plan) -> Path; make_program(plan) -> Program.
template <class Make, class PathOf>
auto load_replanning(Device& device, PlanOptions options, const backend::LoadOptions& load_options, const Make& make,
                     const PathOf& path_of) {
  // Each attempt asks for four fifths of the one before: six of them reach a quarter of what the device promised.
  constexpr int kMaxAttempts = 6;
  constexpr double kShrink = 0.8;
  std::uint64_t smallest_tried = UINT64_MAX;
  std::string refusal;
  for (int attempt = 1;; ++attempt) {
    Loaded<decltype(make(options))> loaded;
    try {
      loaded.plan = make(options);
    } catch (const OutOfMemory& problem) {
      if (smallest_tried == UINT64_MAX) throw;
      throw OutOfMemory(fmt::format("{}; the device {} refused {} before ({}), although it had reported enough",
                                    problem.what(), device.info().id, bytes_to_text(smallest_tried), refusal),
                        problem.requested_bytes(), problem.limit_bytes(), problem.limit_name());
    }
    for (const std::string& reason : loaded.plan.reasons) log("plan", "{}: {}", device.info().id, reason);
    loaded.program = make_program(loaded.plan);
    if (log_wanted("dispatch")) log("dispatch", "{}:\n{}", device.info().id, to_text(loaded.program));
    try {
      backend::Device& on = device.implementation();
      loaded.session = {on.load(loaded.program, load_options).release(), {on.survives_fork()}};
      return loaded;
    } catch (const OutOfMemory& problem) {
      smallest_tried = std::min(smallest_tried, loaded.plan.footprint_bytes);
      refusal = problem.what();
      if (options.deterministic) {
        throw OutOfMemory(fmt::format("{} ({}); a deterministic plan is not made smaller for what happens to be free: "
                                      "free some memory, or set a memory limit below {}",
                                      problem.what(), device.info().id, bytes_to_text(loaded.plan.footprint_bytes)),
                          problem.requested_bytes(), problem.limit_bytes(), problem.limit_name());
      }
      log("plan", "{}: attempt {}: {}; planning again for less", device.info().id, attempt, problem.what());
      if (attempt == kMaxAttempts) {
        throw OutOfMemory(
            fmt::format("{} has no room: {} attempts failed, the smallest for {} ({}); free some of its memory "
                        "or use another device",
                        device.info().id, attempt, bytes_to_text(smallest_tried), problem.what()),
            smallest_tried, problem.limit_bytes(), problem.limit_name());
      }
      options.choice.reset();  // a smaller plan is another one
      options.memory_limit_bytes =
          static_cast<std::uint64_t>(kShrink * static_cast<double>(loaded.plan.footprint_bytes));
    } catch (const Error& problem) {
      const Path path = path_of(loaded.plan);
      if (problem.code() != Errc::unsupported || path == Path::staged || options.path) throw;
      log("plan", "{}: the {} path is refused ({}); the next one is tried", device.info().id, name(path),
          problem.what());
      options.choice.reset();
      (path == Path::native ? options.allow_native : options.allow_fused) = false;
    }
  }
}

/// CONVOY_SENTINELS=1 switches them on everywhere, 0 off: a tool that looks for reads of what nobody wrote sees the
/// NaN as written.
bool sentinels_wanted(bool asked_for);

}  // namespace convoy
