// What a run was and did, as JSON.
#pragma once

#include <string>

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
  Shape output_shape;
  DeviceInfo device;
  Plan plan;
  RunReport run;
  StageTimes times;
  std::vector<std::string> warnings;
};

std::string to_json(const ConvolveRecord& record);

}  // namespace convoy::cli
