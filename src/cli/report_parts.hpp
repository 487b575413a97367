// What reports of all commands have in common.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "convoy/device.hpp"
#include "convoy/device_share.hpp"
#include "convoy/image.hpp"

namespace convoy::cli {

using Json = nlohmann::ordered_json;

struct StageTimes {
  double read_seconds = 0;
  double prepare_seconds = 0;  ///< device, plan, compiling, kernel
  double run_seconds = 0;
  double write_seconds = 0;
};

/// What one of several processes did.
struct RankRecord {
  int rank = 0;
  std::string host;
  std::string part;  ///< of the output, as begin:end of z, y, x, or how many of the images
  Index num_tiles = 0;
  double run_seconds = 0;
};

Json file_to_json(const std::string& path, const Shape& shape, Element element);
Json device_to_json(const DeviceInfo& device);
/// Each with what it did.
Json devices_to_json(const std::vector<DeviceInfo>& devices, const std::vector<DeviceShare>& shares);
/// "cuda:0 (NVIDIA H200) and cuda:1 (NVIDIA H200)", or how many if that is too long.
std::string devices_text(const std::vector<DeviceInfo>& devices);
/// Of devices that were left out or dropped.
std::vector<std::string> device_warnings(const std::vector<DeviceShare>& shares);
Json times_to_json(const StageTimes& times);
Json ranks_to_json(const std::vector<RankRecord>& ranks);

}  // namespace convoy::cli
