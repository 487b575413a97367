#include "engine/device_pool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/host_memory.hpp"
#include "base/log.hpp"
#include "convoy/error.hpp"
#include "engine/tuning.hpp"

namespace convoy::inline v0 {
namespace {

/// Of what the machine has free, unless a limit is given.
constexpr double kShareOfHostMemory = 0.9;

Shape tile_of(const Plan& plan) {
  return {plan.axes[0].tile_output, plan.axes[1].tile_output, plan.axes[2].tile_output};
}

/// Leaves the device out if the action shows that it cannot take part.
template <class Action>
void attempt(PreparedDevice& on, const Action& action) {
  try {
    action();
  } catch (const Error& problem) {
    if (!drops_device(problem)) throw;
    log("run", "{} is left out: {}", on.device.info().id, problem.what());
    on.problem = std::current_exception();
    on.loaded.session.reset();
  }
}

/// The smallest of the tiles that the devices would take alone.
std::optional<Shape> common_tile(const ConvolutionSpec& spec, const PlanOptions& options,
                                 std::vector<PreparedDevice>& devices) {
  std::optional<Shape> smallest;
  for (PreparedDevice& one : devices) {
    attempt(one, [&] {
      const Shape tile = tile_of(make_plan(spec, one.device.limits(), options));
      if (!smallest || num_voxels(tile) < num_voxels(*smallest)) smallest = tile;
    });
  }
  return smallest;
}

/// The code that all problems share, if they do.
Errc common_code(const std::vector<DeviceProblem>& problems) {
  std::optional<Errc> common;
  for (const DeviceProblem& one : problems) {
    try {
      std::rethrow_exception(one.problem);
    } catch (const Error& problem) {
      if (common && *common != problem.code()) return Errc::device_lost;
      common = problem.code();
    }
  }
  return *common;
}

template <class Quantity>
std::uint64_t sum_over(const std::vector<PreparedDevice>& devices, const Quantity& quantity) {
  std::set<const backend::Device*> counted;
  std::uint64_t sum = 0;
  for (const PreparedDevice& one : devices) {
    const backend::Device& device = implementation_of(one.device);
    if (counted.insert(&device).second) sum += quantity(device);
  }
  return sum;
}

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

std::string DeviceProblem::text() const {
  if (!problem) return "";
  try {
    std::rethrow_exception(problem);
  } catch (const std::exception& known) {
    return known.what();
  }
}

std::string PreparedDevice::failure() const { return DeviceProblem{{}, problem}.text(); }

void require_one_kind(const std::vector<Device>& devices) {
  const auto kind_of = [](const Device& device) {
    const DeviceInfo& info = device.info();
    return fmt::format("{} {} {} {}", info.id.substr(0, info.id.find(':')), info.name, info.architecture, info.driver);
  };
  for (const Device& device : devices) {
    if (kind_of(device) == kind_of(devices.front())) continue;
    throw Error(
        Errc::invalid_argument,
        fmt::format("deterministic results need devices of one kind, and {} ({}) is none of {}'s ({}): choose "
                    "one of them",
                    device.info().id, device.info().name, devices.front().info().id, devices.front().info().name));
  }
}

bool drops_device(const Error& problem) {
  switch (problem.code()) {
    case Errc::device_lost:
    case Errc::out_of_memory:
    case Errc::unsupported:
    case Errc::compile_failed:
    case Errc::backend_unavailable:
      return true;
    case Errc::invalid_argument:
    case Errc::io:
    case Errc::cancelled:
      return false;
  }
  return false;
}

std::vector<PreparedDevice> prepare_devices(const ConvolutionSpec& spec, const std::vector<Device>& devices,
                                            const ConvolverOptions& options,
                                            const std::function<void(LoadedPlan&)>& set_up) {
  if (devices.empty()) throw Error(Errc::invalid_argument, "a convolver needs at least one device; none was given");
  if (options.plan.deterministic) require_one_kind(devices);
  std::vector<PreparedDevice> prepared;
  for (const Device& device : devices) prepared.push_back({device, {}});
  if (prepared.size() == 1) {
    PreparedDevice& only = prepared.front();
    only.loaded = load_plan(spec, only.device, options);
    set_up(only.loaded);
    return prepared;
  }
  ConvolverOptions shared = options;
  shared.plan.num_devices = static_cast<int>(devices.size());
  shared.plan.host_memory_limit_bytes = host_memory_limit(shared.plan);
  if (!shared.plan.tile_output) shared.plan.tile_output = common_tile(spec, shared.plan, prepared);
  for (PreparedDevice& one : prepared) {
    if (one.problem) continue;
    attempt(one, [&] {
      one.loaded = load_plan(spec, one.device, shared);
      set_up(one.loaded);
    });
  }
  if (std::none_of(prepared.begin(), prepared.end(), [](const auto& one) { return one.works(); })) {
    throw_no_device_left(prepared);
  }
  return prepared;
}

const Plan& common_plan(const std::vector<PreparedDevice>& devices) {
  const auto planned = [](const PreparedDevice& one) { return one.loaded.plan.footprint_bytes > 0; };
  return std::find_if(devices.begin(), devices.end(), planned)->loaded.plan;
}

std::uint64_t used_bytes_of(const std::vector<PreparedDevice>& devices) {
  return sum_over(devices, [](const backend::Device& device) { return device.used_bytes(); });
}

std::uint64_t peak_bytes_of(const std::vector<PreparedDevice>& devices) {
  return sum_over(devices, [](const backend::Device& device) { return device.peak_bytes(); });
}

void throw_none_left(const std::vector<DeviceProblem>& problems) {
  if (problems.size() == 1) std::rethrow_exception(problems.front().problem);
  std::string causes = "no device is left";
  for (const DeviceProblem& one : problems) causes += fmt::format("; {}: {}", one.id, one.text());
  if (common_code(problems) != Errc::out_of_memory) throw Error(common_code(problems), causes);
  try {
    std::rethrow_exception(problems.front().problem);
  } catch (const OutOfMemory& first) {
    throw OutOfMemory(causes, first.requested_bytes(), first.limit_bytes(), first.limit_name());
  } catch (const Error&) {
    throw Error(Errc::out_of_memory, causes);
  }
}

void throw_no_device_left(const std::vector<PreparedDevice>& devices) {
  std::vector<DeviceProblem> problems;
  for (const PreparedDevice& one : devices) problems.push_back({one.device.info().id, one.problem});
  throw_none_left(problems);
}

}  // namespace convoy::inline v0
