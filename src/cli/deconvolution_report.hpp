// What a deconvolution was and did, as JSON.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/report_parts.hpp"
#include "convoy/deconvolution.hpp"

namespace convoy::cli {

struct DeconvolveRecord {
  std::string image_path;
  std::string psf_path;
  std::string mask_path;  ///< empty without a mask
  std::string output_path;
  Element image_element = Element::f32;
  Element psf_element = Element::f32;
  Element output_element = Element::f32;
  Shape output_shape;    ///< of every image
  Index num_images = 1;  ///< time points and channels
  std::uint64_t host_bytes_beside_plan = 0;
  std::uint64_t ram_limit_bytes = 0;  ///< 0: none
  std::uint64_t peak_host_bytes = 0;
  std::vector<DeviceInfo> devices;  ///< of all processes
  std::size_t num_own_devices = 1;
  DeconvolutionPlan plan;
  DeconvolutionReport run;
  std::vector<PsfReport> psfs;
  StageTimes times;
  std::vector<RankRecord> ranks;  ///< empty: one process did it alone
  std::vector<std::string> warnings;

  /// Of this process; each device has a plan of its own.
  std::uint64_t planned_host_bytes() const;
};

std::string to_json(const DeconvolveRecord& record);

}  // namespace convoy::cli
