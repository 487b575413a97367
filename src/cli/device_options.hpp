// --devices: several devices for one run.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "convoy/device.hpp"

namespace convoy::cli {

struct DeviceOptions {
  std::string devices;  ///< empty: as --backend says

  /// Adds --devices, which excludes --backend of the same command.
  void add_to(CLI::App& command);
  /// Opens them, or the one that `backend` names. Of "all", every GPU once, however many backends know it, and the CPU
  /// where there is none. Unknown names are usage errors.
  std::vector<Device> open(const std::string& backend) const;
};

/// "auto", and the backends of this build.
std::string backend_choices(const std::string& separator);

/// Every GPU once, by the backend of first preference; the CPU if there is none.
std::vector<std::string> all_device_ids();

}  // namespace convoy::cli
