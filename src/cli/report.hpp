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
  Shape output_shape;    ///< of every image
  Index num_images = 1;  ///< time points and channels
  std::vector<DeviceInfo> devices;
  Plan plan;
  RunReport run;  ///< of all images
  std::uint64_t host_bytes_beside_plan = 0;
  std::uint64_t ram_limit_bytes = 0;  ///< 0: none
  std::uint64_t peak_host_bytes = 0;
  StageTimes times;  ///< run_seconds is with reading and writing
  std::vector<std::string> warnings;

  /// Takes in what the run of one more image did.
  void add(const RunReport& image);
  /// Of the whole program; each device has a plan of its own.
  std::uint64_t planned_host_bytes() const { return host_bytes_beside_plan + devices.size() * plan.host_bytes; }
  /// "cuda:0 (NVIDIA H200) and cuda:1 (NVIDIA H200)".
  std::string devices_text() const;
};

std::string to_json(const ConvolveRecord& record);

}  // namespace convoy::cli
