// A run's report as a page: one HTML file that needs no other, with pictures, curve, memory and plan.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace convoy::cli {

/// What has no place in the JSON: pictures, as PNG, or why there are none.
struct ReportPictures {
  std::string input_png;
  std::string output_png;
  std::string input_problem;
  std::string output_problem;
};

/// Of the JSON that --report of convolve or deconvolve wrote. Throws Error(invalid_argument) where it is another.
std::string report_page(const nlohmann::json& report, const ReportPictures& pictures);

}  // namespace convoy::cli
