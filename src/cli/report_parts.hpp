// What reports of all commands have in common.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "convoy/device.hpp"
#include "convoy/image.hpp"

namespace convoy::cli {

using Json = nlohmann::ordered_json;

struct StageTimes {
  double read_seconds = 0;
  double prepare_seconds = 0;  ///< device, plan, compiling, kernel
  double run_seconds = 0;
  double write_seconds = 0;
};

Json file_to_json(const std::string& path, const Shape& shape, Element element);
Json device_to_json(const DeviceInfo& device);
Json times_to_json(const StageTimes& times);

}  // namespace convoy::cli
