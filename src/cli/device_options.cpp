#include "cli/device_options.hpp"

#include <algorithm>
#include <set>
#include <sstream>

#include "cli/command_line.hpp"
#include "convoy/error.hpp"

namespace convoy::cli {
namespace {

Device open_named(const std::string& option, const std::string& id) {
  try {
    return open_device(id);
  } catch (const Error& error) {
    if (error.code() != Errc::invalid_argument) throw;
    throw CLI::ValidationError(option, error.what());
  }
}

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
  return parts;
}

bool is_gpu(const DeviceInfo& device) {
  return device.type == DeviceType::discrete_gpu || device.type == DeviceType::integrated_gpu;
}

}  // namespace

std::string backend_choices(const std::string& separator) {
  std::string choices = "auto";
  for (const std::string& name : backend_names()) choices += separator + name;
  return choices;
}

std::vector<std::string> all_device_ids() {
  std::vector<std::string> ids;
  std::set<std::string> known;
  for (const BackendInfo& backend : list_backends()) {
    std::set<std::string> of_backend;
    for (const DeviceInfo& device : backend.devices) {
      const std::string& name = device.uuid.empty() ? device.name : device.uuid;
      if (!is_gpu(device) || known.contains(name)) continue;
      of_backend.insert(name);
      ids.push_back(device.id);
    }
    known.merge(of_backend);
  }
  if (ids.empty()) ids.emplace_back("cpu");
  return ids;
}

void DeviceOptions::add_to(CLI::App& command) {
  command
      .add_option("--devices", devices,
                  "Devices that share the work, as in cuda:0,cuda:1 or cpu,vulkan:0; all: every GPU; --memory-limit is "
                  "for each of them (default: the one of --backend)")
      ->type_name("all|DEVICE,DEVICE...")
      ->check(not_empty())
      ->excludes(command.get_option("--backend"));
}

std::vector<Device> DeviceOptions::open(const std::string& backend) const {
  if (devices.empty()) return {open_named("--backend", backend)};
  std::vector<Device> opened;
  for (const std::string& id : devices == "all" ? all_device_ids() : split_at_commas(devices)) {
    opened.push_back(open_named("--devices", id));
  }
  if (opened.empty()) throw CLI::ValidationError("--devices", "names no device");
  return opened;
}

}  // namespace convoy::cli
