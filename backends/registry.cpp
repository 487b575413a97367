// The list of backends as users see it: names, devices, reasons; and the choice of "auto".
#include "backends/registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstdlib>

#include "backends/backend.hpp"
#include "base/fork.hpp"
#include "base/log.hpp"
#include "base/settings.hpp"
#include "convoy/bytes_text.hpp"
#include "convoy/device.hpp"

namespace convoy::inline v0 {
namespace {

/// A variable may lower a limit, never raise it; 0 in a limit means "none".
void lower(std::uint64_t& limit, const char* variable) {
  const char* text = setting(variable);
  if (text == nullptr) return;
  const std::uint64_t wanted = bytes_from_text(text);
  limit = limit == 0 ? wanted : std::min(limit, wanted);
}

Limits lowered(Limits limits) {
  lower(limits.free_bytes, "CONVOY_LIMIT_FREE_BYTES");
  lower(limits.max_allocation_bytes, "CONVOY_LIMIT_MAX_ALLOCATION_BYTES");
  lower(limits.max_binding_bytes, "CONVOY_LIMIT_MAX_BINDING_BYTES");
  lower(limits.shared_memory_bytes, "CONVOY_LIMIT_SHARED_MEMORY_BYTES");
  limits.reserve_bytes = std::min(limits.reserve_bytes, limits.free_bytes / 4);
  return limits;
}

/// Whether a parent of this process had used the backend before it forked.
bool used_before_fork(const backend::Backend& used) {
  constexpr std::size_t kMostBackends = 16;
  static std::array<std::atomic<std::uint64_t>, kMostBackends> first_use;  // fork_generation() + 1; 0: none
  const auto& all = backend::all();
  const auto place = static_cast<std::size_t>(std::find(all.begin(), all.end(), &used) - all.begin());
  const std::uint64_t now = fork_generation() + 1;
  std::uint64_t first = 0;
  first_use.at(place).compare_exchange_strong(first, now);
  return first != 0 && first != now;
}

BackendInfo probe(backend::Backend& known) {
  if (!known.survives_fork() && used_before_fork(known)) {
    return {known.name(),
            "the process that forked this one had used it, and its driver does not survive that; start workers before "
            "the first use of a GPU, or by exec, as Python's 'spawn' does",
            {}};
  }
  return known.probe();
}

Device open(backend::Backend& found, int index) {
  const BackendInfo info = backend::require_devices(found);
  if (index >= static_cast<int>(info.devices.size())) {
    throw Error(Errc::backend_unavailable, fmt::format("backend {} has {} device(s), so {}:{} is not there; '{}:0' is",
                                                       info.name, info.devices.size(), info.name, index, info.name));
  }
  log("backend", "opens {} ({})", info.devices[static_cast<std::size_t>(index)].id,
      info.devices[static_cast<std::size_t>(index)].name);
  return backend::handed_out(found.open(index));
}

Device open_automatic() {
  for (const DeviceType wanted : {DeviceType::discrete_gpu, DeviceType::integrated_gpu, DeviceType::cpu}) {
    for (backend::Backend* candidate : backend::all()) {
      const BackendInfo info = probe(*candidate);
      for (std::size_t i = 0; i < info.devices.size(); ++i) {
        if (info.devices[i].type != wanted) continue;
        log("backend", "auto: takes {} ({}), the first {}", info.devices[i].id, info.devices[i].name, name(wanted));
        return backend::handed_out(candidate->open(static_cast<int>(i)));
      }
      if (!info.unavailable_because.empty()) log("backend", "auto: {}: {}", info.name, info.unavailable_because);
    }
  }
  std::string reasons;
  for (backend::Backend* candidate : backend::all()) {
    reasons += fmt::format("; {}: {}", candidate->name(), probe(*candidate).unavailable_because);
  }
  throw Error(Errc::backend_unavailable, "no device found" + reasons);
}

}  // namespace

}  // namespace convoy::inline v0

namespace convoy::backend {

std::string known_names() {
  std::string names = "auto";
  for (const Backend* known : all()) names += fmt::format(", {}", known->name());
  return names;
}

BackendInfo require_devices(Backend& backend) {
  BackendInfo info = probe(backend);
  if (info.devices.empty()) {
    throw Error(Errc::backend_unavailable, fmt::format("backend {} has no device: {}; 'auto' or 'cpu' may serve",
                                                       info.name, info.unavailable_because));
  }
  return info;
}

convoy::Device handed_out(std::shared_ptr<Device> device) {
  if (device->survives_fork()) return convoy::Device(std::move(device));
  Device* const opened = device.get();
  return convoy::Device(
      std::shared_ptr<Device>(opened, [device = std::move(device), generation = fork_generation()](Device*) mutable {
        if (generation != fork_generation()) static_cast<void>(new auto(std::move(device)));
      }));
}

}  // namespace convoy::backend

namespace convoy::inline v0 {

const char* name(DeviceType type) {
  switch (type) {
    case DeviceType::discrete_gpu:
      return "discrete GPU";
    case DeviceType::integrated_gpu:
      return "integrated GPU";
    case DeviceType::cpu:
      return "CPU";
    case DeviceType::software:
      return "software";
  }
  return "unknown";
}

std::vector<std::string> backend_names() {
  std::vector<std::string> names;
  for (const backend::Backend* known : backend::all()) names.emplace_back(known->name());
  return names;
}

std::vector<BackendInfo> list_backends() {
  std::vector<BackendInfo> list;
  for (backend::Backend* known : backend::all()) {
    list.push_back(probe(*known));
    const BackendInfo& info = list.back();
    log("backend", "{}: {} devices{}{}", info.name, info.devices.size(), info.unavailable_because.empty() ? "" : ": ",
        info.unavailable_because);
    for (DeviceInfo& device : list.back().devices) device.limits = lowered(device.limits);
  }
  return list;
}

Device open_device(const std::string& id) {
  if (id == "auto") return open_automatic();
  const std::size_t colon = id.find(':');
  const std::string backend_name = id.substr(0, colon);
  int index = 0;
  if (colon != std::string::npos) {
    const char* begin = id.data() + colon + 1;
    const char* end = id.data() + id.size();
    const auto [rest, problem] = std::from_chars(begin, end, index);
    if (problem != std::errc() || rest != end || index < 0) {
      throw Error(Errc::invalid_argument,
                  fmt::format("'{}' is no device: after the colon a number is expected, as in {}:0", id, backend_name));
    }
  }
  for (backend::Backend* candidate : backend::all()) {
    if (backend_name == candidate->name()) return open(*candidate, index);
  }
  for (const std::string_view left_out : backend::left_out()) {
    if (backend_name == left_out) {
      throw Error(Errc::backend_unavailable, fmt::format("this build of convoy has no backend {}; it has {}",
                                                         backend_name, backend::known_names()));
    }
  }
  throw Error(Errc::invalid_argument,
              fmt::format("unknown backend '{}'; known are {}", backend_name, backend::known_names()));
}

Device::Device(std::shared_ptr<backend::Device> device) : device_(std::move(device)), opened_in_(fork_generation()) {}

backend::Device& implementation_of(const Device& device) {
  if (device.opened_in_ != fork_generation() && !device.device_->survives_fork()) {
    throw Error(Errc::unsupported,
                fmt::format("{} was opened before this process was forked, and its driver does not survive that; open "
                            "it in the child alone, or start workers by exec, as Python's 'spawn' does",
                            device.device_->info().id));
  }
  return *device.device_;
}

const DeviceInfo& Device::info() const { return device_->info(); }
Limits Device::limits() const { return lowered(implementation_of(*this).limits()); }
std::uint64_t Device::used_bytes() const { return device_->used_bytes(); }

}  // namespace convoy::inline v0
