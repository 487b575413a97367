#include "cli/report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "cli/command_line.hpp"
#include "cli/report_parts.hpp"
#include "convoy/version.hpp"

namespace convoy::cli {

std::string ConvolveRecord::devices_text() const {
  constexpr std::size_t kMostTold = 4;
  if (devices.size() > kMostTold) return fmt::format("{} devices", devices.size());
  std::vector<std::string> texts;
  for (const DeviceInfo& device : devices) texts.push_back(fmt::format("{} ({})", device.id, device.name));
  return fmt::format("{}", fmt::join(texts, " and "));
}

namespace {

Json devices_to_json(const ConvolveRecord& record) {
  Json list = Json::array();
  for (std::size_t i = 0; i < record.devices.size(); ++i) {
    list.push_back(device_to_json(record.devices[i]));
    if (i >= record.run.devices.size()) continue;
    list.back()["num_tiles"] = record.run.devices[i].num_tiles;
    if (!record.run.devices[i].failure.empty()) list.back()["failure"] = record.run.devices[i].failure;
  }
  return list;
}

}  // namespace

std::string to_json(const ConvolveRecord& record) {
  Json json;
  json["version"] = CONVOY_VERSION;
  json["command"] = command_line();
  const DeviceInfo& first = record.devices.front();
  json["backend"] = first.id.substr(0, first.id.find(':'));
  json["device"] = device_to_json(first);
  json["devices"] = devices_to_json(record);
  json["image"] = file_to_json(record.image_path, record.plan.spec.image, record.image_element);
  json["kernel"] = file_to_json(record.kernel_path, record.plan.spec.kernel, record.kernel_element);
  json["output"] = file_to_json(record.output_path, record.output_shape, record.output_element);
  json["plan"] = Json::parse(to_json(record.plan));
  json["timings"] = times_to_json(record.times);
  json["kernel_factor"] = record.run.kernel_factor;
  json["num_images"] = record.num_images;
  json["num_tiles"] = record.run.num_tiles;
  json["skipped_tiles"] = record.run.skipped_tiles;
  if (record.ranks.empty()) json["input_sum"] = record.run.input_sum;  // what ranks read overlaps
  json["output_sum"] = record.run.output_sum;
  json["saturated_voxels"] = record.run.saturated_voxels;
  json["non_finite_voxels"] = record.run.non_finite_voxels;
  json["nan_voxels"] = record.run.nan_voxels;
  json["no_data_voxels"] = record.run.no_data_voxels;
  json["inexact_voxels"] = record.run.inexact_voxels;
  json["lowest_voxel"] = record.run.lowest_voxel;
  json["highest_voxel"] = record.run.highest_voxel;
  json["dynamic_range"] = record.run.dynamic_range;
  json["rounding_error"] = record.run.rounding_error;
  json["ram_limit_bytes"] = record.ram_limit_bytes;
  json["planned_host_bytes"] = record.planned_host_bytes();
  json["peak_host_bytes"] = record.peak_host_bytes;
  json["peak_device_bytes"] = record.run.peak_device_bytes;
  for (const RankRecord& one : record.ranks) {
    json["ranks"].push_back({{"rank", one.rank},
                             {"host", one.host},
                             {"part", one.part},
                             {"num_tiles", one.num_tiles},
                             {"run_seconds", one.run_seconds}});
  }
  json["warnings"] = record.warnings;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace convoy::cli
