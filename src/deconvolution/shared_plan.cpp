#include "deconvolution/shared_plan.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "base/refuse.hpp"
#include "convoy/error.hpp"
#include "deconvolution/plan.hpp"
#include "deconvolution/spec.hpp"
#include "engine/device_pool.hpp"

namespace convoy::inline v0 {
namespace {

/// Fast tiles of one image are cut for all devices to have some; of many images each device takes whole ones.
PlanOptions shared_by(std::size_t num_devices, const DeconvolutionSpec& spec, PlanOptions options) {
  const auto devices = static_cast<Index>(num_devices);
  options.num_devices = static_cast<int>(num_devices);
  const Index images = options.streaming ? options.streaming->num_groups : 1;
  if (spec.tiles == Tiles::fast && images < devices) options.min_tiles = std::max(options.min_tiles, devices);
  return options;
}

}  // namespace

SharedPlan share_plan(const DeconvolutionSpec& spec, const std::vector<Device>& devices, const PlanOptions& options,
                      const std::function<void(std::size_t, std::exception_ptr)>& leave_out) {
  SharedPlan shared{shared_by(devices.size(), spec, options), {}, false};
  std::vector<char> left_out(devices.size(), 0);
  const auto plan_of = [&](std::size_t i) -> std::optional<DeconvolutionPlan> {
    try {
      return make_plan(spec, devices[i].limits(), shared.options);
    } catch (const Error& problem) {
      if (!drops_device(problem)) throw;
      log("run", "{} is left out: {}", devices[i].info().id, problem.what());
      left_out[i] = 1;
      leave_out(i, std::current_exception());
      return {};
    }
  };
  for (bool settled = false; !settled;) {
    settled = true;
    for (std::size_t i = 0; i < devices.size(); ++i) {
      if (left_out[i] != 0) continue;
      const auto plan = plan_of(i);
      if (!plan) continue;
      if (plan->is_tiled()) {
        shared.together = true;
        return shared;
      }
      if (!plan->fast || (shared.tiling && shared.tiling->num_tiles() == plan->fast->num_tiles())) continue;
      settled = false;
      shared.tiling = plan->fast;
      shared.options.min_tiles = shared.tiling->num_tiles();
    }
  }
  return shared;
}

PlanOptions with_host_limit(PlanOptions options) {
  if (!options.scratch.empty()) options.host_memory_limit_bytes = host_memory_limit(options);
  return options;
}

DeconvolutionPlan make_plan(const DeconvolutionSpec& given, const std::vector<Device>& devices,
                            const PlanOptions& with) {
  const PlanOptions options = with_host_limit(with);
  if (devices.empty()) refuse("a deconvolution needs at least one device; none was given");
  if (devices.size() == 1) return make_plan(given, devices.front().limits(), options);
  const DeconvolutionSpec spec = settled(given);
  std::vector<DeviceProblem> problems(devices.size());
  for (std::size_t i = 0; i < devices.size(); ++i) problems[i].id = devices[i].info().id;
  const SharedPlan shared = share_plan(spec, devices, options, [&](std::size_t i, std::exception_ptr problem) {
    problems[i].problem = std::move(problem);
  });
  if (shared.together) return make_plan(spec, devices.front().limits(), shared.options);
  for (std::size_t i = 0; i < devices.size(); ++i) {
    if (problems[i].problem) continue;
    const Limits limits = devices[i].limits();
    if (!shared.tiling) return make_plan(spec, limits, shared.options);
    return make_fast_plan_of(spec, *shared.tiling, limits, shared.options, kCutAlike);
  }
  throw_none_left(problems);
}

}  // namespace convoy::inline v0
