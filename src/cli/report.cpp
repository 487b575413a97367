#include "cli/report.hpp"

#include "cli/command_line.hpp"
#include "cli/report_parts.hpp"
#include "convoy/version.hpp"

namespace convoy::cli {

std::string to_json(const ConvolveRecord& record) {
  Json json;
  json["version"] = CONVOY_VERSION;
  json["command"] = command_line();
  const DeviceInfo& first = record.devices.front();
  json["backend"] = first.id.substr(0, first.id.find(':'));
  json["device"] = device_to_json(first);
  json["devices"] = devices_to_json(record.devices, record.run.devices);
  json["image"] = file_to_json(record.image_path, record.plan.spec.image, record.image_element);
  json["kernel"] = file_to_json(record.kernel_path, record.plan.spec.kernel, record.kernel_element);
  json["output"] = file_to_json(record.output_path, record.output_shape, record.output_element);
  json["plan"] = Json::parse(to_json(record.plan));
  json["timings"] = times_to_json(record.times);
  json["kernel_factor"] = record.run.kernel_factor;
  if (record.run.kernel_factors.size() > 1) json["kernel_factors"] = record.run.kernel_factors;
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
  if (!record.ranks.empty()) json["ranks"] = ranks_to_json(record.ranks);
  json["warnings"] = record.warnings;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace convoy::cli
