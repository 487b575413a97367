// What a run was and did, as JSON.
#pragma once

#include <string>
#include <vector>

#include "cli/report_parts.hpp"
#include "convoy/convolution.hpp"
#include "convoy/io.hpp"

namespace convoy::cli {

struct ConvolveRecord {
  std::string image_path;
  std::string kernel_path;
  std::string output_path;
  Element image_element = Element::f32;
  Element kernel_element = Element::f32;
  Element output_element = Element::f32;
  Shape output_shape;               ///< of every image
  Index num_images = 1;             ///< time points and channels
  std::vector<DeviceInfo> devices;  ///< of all processes
  std::size_t num_own_devices = 1;
  Plan plan;
  RunReport run;  ///< of all images
  std::uint64_t host_bytes_beside_plan = 0;
  std::uint64_t ram_limit_bytes = 0;  ///< 0: none
  std::uint64_t peak_host_bytes = 0;
  StageTimes times;               ///< run_seconds is with reading and writing
  std::vector<RankRecord> ranks;  ///< empty: one process did it alone
  std::vector<std::string> warnings;

  /// Of this process; each of its devices has a plan of its own.
  std::uint64_t planned_host_bytes() const { return host_bytes_beside_plan + num_own_devices * plan.host_bytes; }
};

std::string to_json(const ConvolveRecord& record);

}  // namespace convoy::cli
