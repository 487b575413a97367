// Loading what a device may turn out to have no room for: planned again for less, a bounded number of times.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "backends/backend.hpp"
#include "base/fork.hpp"
#include "base/log.hpp"
#include "convoy/plan.hpp"

namespace convoy::inline v0 {

/// What the function that plans again is given.
struct Replan {
  std::uint64_t limit_bytes = 0;  ///< most device memory of the next plan
  std::string reason;             ///< why the one before could not be loaded
};

/// The bookkeeping of load_with_retry().
class LoadAttempts {
 public:
  LoadAttempts(std::string device, bool deterministic) : device_(std::move(device)), deterministic_(deterministic) {}

  /// Called while `problem` is handled, thrown by loading a plan of so many bytes. Logs it; throws OutOfMemory with the
  /// smallest footprint tried after the last attempt, and `problem` itself when a deterministic plan must not change.
  Replan next(std::uint64_t footprint_bytes, const OutOfMemory& problem);
  /// Planning for less failed, too.
  [[noreturn]] void throw_no_smaller_plan(const OutOfMemory& problem) const;

 private:
  std::string device_;
  bool deterministic_;
  int num_failed_ = 0;
  std::uint64_t smallest_bytes_ = UINT64_MAX;
  std::string refusal_;
};

/// Returns load(make_plan(nothing)); when that throws OutOfMemory, load(make_plan(Replan)) and so on, each time for
/// less memory than the plan before took. Plans have footprint_bytes. `device` is the id in log and messages. Throws
/// what `make_plan` throws first and what `load` throws but OutOfMemory, which is thrown only after smaller plans have
/// failed, too.
template <class MakePlan, class Load>
auto load_with_retry(const std::string& device, bool deterministic, const MakePlan& make_plan, const Load& load)
    -> decltype(load(make_plan(std::optional<Replan>()))) {
  LoadAttempts attempts(device, deterministic);
  std::optional<Replan> smaller;
  for (;;) {
    auto plan = [&] {
      try {
        return make_plan(smaller);
      } catch (const OutOfMemory& problem) {
        if (smaller) attempts.throw_no_smaller_plan(problem);
        throw;
      }
    }();
    const std::uint64_t footprint_bytes = plan.footprint_bytes;
    try {
      return load(std::move(plan));
    } catch (const OutOfMemory& problem) {
      smaller = attempts.next(footprint_bytes, problem);
    }
  }
}

using SessionHandle = std::unique_ptr<backend::Session, DeleteUnlessForked<backend::Session>>;

/// A plan that the device holds ready. Any plan has a footprint_bytes and reasons.
template <class AnyPlan>
struct Loaded {
  AnyPlan plan;
  Program program;
  SessionHandle session;
};

/// Tries once. Throws what Device::load throws; of a deterministic plan OutOfMemory says that it stays as it is.
SessionHandle load_session(Device& device, const Program& program, const backend::LoadOptions& load_options,
                           std::uint64_t footprint_bytes, bool deterministic);

/// Plans and loads, for less when the device has less than it said, and along the next path when it refuses one.
/// Throws what `make` and Device::load throw. make(options) -> plan; path_of(plan) -> Path; make_program(plan) ->
/// Program.
template <class Make, class PathOf>
auto plan_and_load(Device& device, PlanOptions options, const backend::LoadOptions& load_options, const Make& make,
                   const PathOf& path_of) {
  using AnyPlan = decltype(make(options));
  const bool may_change_path = !options.path;
  std::optional<Path> loading;
  const auto make_plan = [&](const std::optional<Replan>& smaller) {
    loading.reset();
    if (smaller) {
      options.choice.reset();  // a smaller plan is another one
      options.memory_limit_bytes = smaller->limit_bytes;
    }
    return make(options);
  };
  const auto load = [&](AnyPlan&& plan) {
    loading = path_of(plan);
    Loaded<AnyPlan> loaded{std::move(plan), {}, {}};
    for (const std::string& reason : loaded.plan.reasons) log("plan", "{}: {}", device.info().id, reason);
    loaded.program = make_program(loaded.plan);
    loaded.session =
        load_session(device, loaded.program, load_options, loaded.plan.footprint_bytes, options.deterministic);
    return loaded;
  };
  bool may_have_no_fused_path = false;
  for (;;) {
    try {
      return load_with_retry(device.info().id, options.deterministic, make_plan, load);
    } catch (const Error& problem) {
      if (problem.code() == Errc::unsupported && !loading && may_have_no_fused_path) {  // for several kernels
        may_have_no_fused_path = false;
        options.path = Path::staged;
        continue;
      }
      if (problem.code() != Errc::unsupported || !loading || *loading == Path::staged || !may_change_path) throw;
      if (sums_directly(*loading) && options.method != Method::automatic) throw;
      log("plan", "{}: the {} path is refused ({}); the next one is tried", device.info().id, name(*loading),
          problem.what());
      options.choice.reset();
      if (sums_directly(*loading)) {
        options.method = Method::fft;
        continue;
      }
      may_have_no_fused_path = *loading == Path::native;
      options.path = *loading == Path::native ? Path::fused : Path::staged;
    }
  }
}

/// CONVOY_SENTINELS=1 switches them on everywhere, 0 off: a tool that looks for reads of uninitialised memory sees the
/// NaN as written.
bool sentinels_wanted(bool asked_for);

}  // namespace convoy::inline v0
