#include "cli/report_curve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace convoy::cli {
namespace {

constexpr double kLeft = 80, kRight = 620, kTop = 14, kBottom = 210;

/// Where values lie between two ends of an axis, `at_least` and `at_largest` in pixels.
struct Axis {
  double least = 0;
  double largest = 1;
  double at_least = 0;
  double at_largest = 1;
  bool logarithmic = false;

  double height(double value) const { return logarithmic ? std::log10(value) : value; }
  double position(double value) const {
    const double range = height(largest) - height(least);
    const double part = range > 0 ? (height(value) - height(least)) / range : 0.5;
    return at_least + part * (at_largest - at_least);
  }
};

/// 1, 2 or 5 times a power of ten, so that at most six steps make the range.
double step_of(double range) {
  const double power = std::pow(10, std::floor(std::log10(range / 5)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (range / (factor * power) <= 6) return factor * power;
  }
  return 10 * power;
}

std::vector<double> ticks_of(const Axis& axis) {
  if (!(axis.largest > axis.least)) return {axis.least};
  std::vector<double> ticks;
  if (axis.logarithmic && axis.largest >= 10 * axis.least) {
    const double first = std::ceil(std::log10(axis.least)), last = std::floor(std::log10(axis.largest));
    const double step = std::max(1.0, std::ceil((last - first) / 6));
    for (double power = first; power <= last; power += step) ticks.push_back(std::pow(10, power));
    return ticks;
  }
  const double step = step_of(axis.largest - axis.least);
  for (double i = std::ceil(axis.least / step); i * step <= axis.largest; ++i) ticks.push_back(i * step);
  return ticks;
}

}  // namespace

std::string curve_to_svg(const std::vector<std::pair<double, double>>& points, const std::string& value_name) {
  if (points.size() < 2) return "";
  const auto [least, largest] = std::ranges::minmax(points, {}, &std::pair<double, double>::second);
  const Axis across{points.front().first, points.back().first, kLeft, kRight, false};
  const Axis up{least.second, largest.second, kBottom, kTop, least.second > 0};
  std::string svg = "<svg viewBox=\"0 0 640 250\" role=\"img\">\n";
  for (const double tick : ticks_of(up)) {
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>"
        "<text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5:.4g}</text>\n",
        kLeft, kRight, up.position(tick), kLeft - 6, up.position(tick) + 4, tick);
  }
  for (const double tick : ticks_of(across)) {
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{:g}</text>\n", across.position(tick),
                       kBottom + 16, tick);
  }
  svg += "<polyline class=\"curve\" points=\"";
  for (const auto& [iteration, value] : points) {
    svg += fmt::format("{:.1f},{:.1f} ", across.position(iteration), up.position(value));
  }
  svg += fmt::format("\"/>\n<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">iteration</text>\n", (kLeft + kRight) / 2,
                     kBottom + 34);
  svg += fmt::format("<text transform=\"translate(14 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n</svg>\n",
                     (kTop + kBottom) / 2, value_name);
  return svg;
}

}  // namespace convoy::cli
