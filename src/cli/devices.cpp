#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "cli/print.hpp"
#include "convoy/device.hpp"
#include "convoy/libraries.hpp"
#include "convoy/plan.hpp"
#include "convoy/version.hpp"

namespace convoy::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string ceiling_text(std::uint64_t bytes) { return bytes == 0 ? "no limit" : bytes_to_text(bytes); }

void print_device(const DeviceInfo& device) {
  const Limits& limits = device.limits;
  print_result("{:<10} {} ({})\n", device.id, device.name, name(device.type));
  print_result("           driver      {}{}\n", device.driver,
               device.architecture.empty() ? "" : ", architecture " + device.architecture);
  print_result("           memory      {} in all, {} free, of which {} are left to others\n",
               bytes_to_text(limits.total_bytes), bytes_to_text(limits.free_bytes),
               bytes_to_text(limits.reserve_bytes));
  print_result("           limits      allocation {}, binding {}, shared memory {}, f64 {}\n",
               ceiling_text(limits.max_allocation_bytes), ceiling_text(limits.max_binding_bytes),
               ceiling_text(limits.shared_memory_bytes), limits.supports_f64 ? "yes" : "no");
}

void print_backends(const std::vector<BackendInfo>& backends) {
  for (const BackendInfo& backend : backends) {
    for (const DeviceInfo& device : backend.devices) print_device(device);
    if (backend.devices.empty()) print_result("{:<10} none: {}\n", backend.name, backend.unavailable_because);
  }
}

void print_libraries(const std::vector<LibraryReport>& libraries) {
  print_result("\nlibraries that were looked for:\n");
  for (const LibraryReport& library : libraries) {
    print_result("{} ({}): {}\n", library.library, library.variable,
                 library.found.empty() ? "not found" : library.found);
    for (const LibraryAttempt& attempt : library.attempts) {
      print_result("    {}: {}\n", attempt.place, attempt.problem.empty() ? "loaded" : attempt.problem);
    }
  }
}

Json limits_to_json(const Limits& limits) {
  return {{"total_bytes", limits.total_bytes},
          {"free_bytes", limits.free_bytes},
          {"reserve_bytes", limits.reserve_bytes},
          {"max_allocation_bytes", limits.max_allocation_bytes},
          {"max_binding_bytes", limits.max_binding_bytes},
          {"shared_memory_bytes", limits.shared_memory_bytes},
          {"cache_bytes", limits.cache_bytes},
          {"num_multiprocessors", limits.num_multiprocessors},
          {"workgroups_may_wait", limits.workgroups_may_wait},
          {"coalesced_bytes", limits.coalesced_bytes},
          {"offset_alignment_bytes", limits.offset_alignment_bytes},
          {"max_groups", limits.max_groups},
          {"max_kernel_parameters", limits.max_kernel_parameters},
          {"supports_f64", limits.supports_f64},
          {"memory_bytes_per_second", limits.memory_bytes_per_second},
          {"transfer_bytes_per_second", limits.transfer_bytes_per_second}};
}

Json device_to_json(const DeviceInfo& device) {
  return {{"id", device.id},
          {"name", device.name},
          {"type", name(device.type)},
          {"driver", device.driver},
          {"uuid", device.uuid},
          {"architecture", device.architecture},
          {"limits", limits_to_json(device.limits)}};
}

void print_json(const std::vector<BackendInfo>& backends, bool verbose) {
  Json list = Json::array();
  for (const BackendInfo& backend : backends) {
    Json devices = Json::array();
    for (const DeviceInfo& device : backend.devices) devices.push_back(device_to_json(device));
    list.push_back(
        {{"name", backend.name}, {"unavailable_because", backend.unavailable_because}, {"devices", devices}});
  }
  Json report{{"version", CONVOY_VERSION}, {"backends", list}};
  if (verbose) report["libraries"] = Json::parse(to_json(list_libraries()));
  print_result("{}\n", report.dump(2, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

void add_devices(CLI::App& program) {
  CLI::App* command = program.add_subcommand("devices", "List backends and devices, or why there are none");
  const auto json = std::make_shared<bool>(false);
  const auto verbose = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "Print JSON");
  command->add_flag("--verbose", *verbose, "Say also where each driver and library was looked for, and what was found");
  command->footer("Example:\n  convoy devices --verbose");
  command->callback([json, verbose] {
    const std::vector<BackendInfo> backends = list_backends();
    if (*json) {
      print_json(backends, *verbose);
    } else {
      print_backends(backends);
      if (*verbose) print_libraries(list_libraries());
    }
  });
}

}  // namespace convoy::cli
