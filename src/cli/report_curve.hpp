// The course of the iterations as a drawing within a page.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace convoy::cli {

/// SVG of points (iteration, value) on a logarithmic scale where all values are above 0, with labelled axes. Empty for
/// fewer than two points.
std::string curve_to_svg(const std::vector<std::pair<double, double>>& points, const std::string& value_name);

}  // namespace convoy::cli
