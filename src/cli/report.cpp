#include "cli/report.hpp"

#include <algorithm>

#include "cli/command_line.hpp"
#include "cli/report_parts.hpp"
#include "convoy/version.hpp"

namespace convoy::cli {

void ConvolveRecord::add(const RunReport& image) {
  run.elapsed_seconds += image.elapsed_seconds;
  run.num_tiles += image.num_tiles;
  run.skipped_tiles += image.skipped_tiles;
  run.peak_device_bytes = std::max(run.peak_device_bytes, image.peak_device_bytes);
  run.non_finite_voxels += image.non_finite_voxels;
  run.saturated_voxels += image.saturated_voxels;
  run.input_sum += image.input_sum;
  run.output_sum += image.output_sum;
}

std::string to_json(const ConvolveRecord& record) {
  Json json;
  json["version"] = CONVOY_VERSION;
  json["command"] = command_line();
  json["backend"] = record.device.id.substr(0, record.device.id.find(':'));
  json["device"] = device_to_json(record.device);
  json["image"] = file_to_json(record.image_path, record.plan.spec.image, record.image_element);
  json["kernel"] = file_to_json(record.kernel_path, record.plan.spec.kernel, record.kernel_element);
  json["output"] = file_to_json(record.output_path, record.output_shape, record.output_element);
  json["plan"] = Json::parse(to_json(record.plan));
  json["timings"] = times_to_json(record.times);
  json["num_images"] = record.num_images;
  json["num_tiles"] = record.run.num_tiles;
  json["skipped_tiles"] = record.run.skipped_tiles;
  json["input_sum"] = record.run.input_sum;
  json["output_sum"] = record.run.output_sum;
  json["saturated_voxels"] = record.run.saturated_voxels;
  json["non_finite_voxels"] = record.run.non_finite_voxels;
  json["ram_limit_bytes"] = record.ram_limit_bytes;
  json["planned_host_bytes"] = record.planned_host_bytes();
  json["peak_host_bytes"] = record.peak_host_bytes;
  json["peak_device_bytes"] = record.run.peak_device_bytes;
  json["warnings"] = record.warnings;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace convoy::cli
