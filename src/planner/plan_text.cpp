#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "convoy/plan.hpp"
#include "planner/ledger_json.hpp"
#include "planner/lengths.hpp"
#include "planner/origin.hpp"

namespace convoy::inline v0 {
namespace {

using Json = nlohmann::ordered_json;

std::string origin_to_text(const ConvolutionSpec& spec) {
  if (spec.origin.rule != Origin::Rule::at) return name(spec.origin.rule);
  return fmt::format("at {},{},{}", spec.origin.index.z, spec.origin.index.y, spec.origin.index.x);
}

std::string task_to_text(const Plan& plan) {
  const ConvolutionSpec& spec = plan.spec;
  std::string text = fmt::format("{} image {} with kernel {} (zyx), mode {}", name(spec.operation), to_text(spec.image),
                                 to_text(spec.kernel), name(spec.mode));
  if (spec.num_kernels > 1 || spec.pairing != Pairing::all) {
    text += fmt::format(", {} kernels, pairing {}", spec.num_kernels, name(spec.pairing));
  }
  if (spec.mode == Mode::same || spec.boundary != Boundary::zero)
    text += fmt::format(", boundary {}", name(spec.boundary));
  if (spec.boundary == Boundary::constant) text += fmt::format(" {}", spec.constant);
  if (has_origin(spec)) text += fmt::format(", origin {}", origin_to_text(spec));
  if (spec.region) text += fmt::format(", region {} of {}", to_text(*spec.region), to_text(whole_output_shape(spec)));
  return text + fmt::format(", {}\n", name(spec.precision));
}

std::string axes_to_text(const Plan& plan) {
  std::string text = fmt::format("\n  axis {:>10} {:>10} {:>10} {:>10}  {:<14} {:>6} {:>10} {:>10}\n", "image",
                                 "kernel", "output", "padded", "factors", "tiles", "tile in", "tile out");
  for (int axis = 0; axis < 3; ++axis) {
    const AxisPlan& a = plan.axes[axis];
    text += fmt::format("  {:<4} {:>10} {:>10} {:>10} {:>10}  {:<14} {:>6} {:>10} {:>10}\n", axis_name(axis), a.image,
                        a.kernel, a.output, a.padded, sums_directly(plan.path) ? "-" : factors_to_text(a.padded),
                        a.num_tiles, a.tile_input, a.tile_output);
  }
  return text;
}

std::string memory_to_text(const Plan& plan) {
  std::string text = "\n  device memory\n";
  for (const LedgerLine& line : plan.ledger) {
    text += fmt::format("    {:<18} {:>12}   {}\n", line.name, bytes_to_text(line.bytes), line.note);
  }
  const std::string budget = plan.budget_bytes == UINT64_MAX ? "no limit" : bytes_to_text(plan.budget_bytes);
  const std::uint64_t nine_copies = nine_copy_bytes(plan.spec);
  const double ratio = static_cast<double>(nine_copies) / static_cast<double>(plan.footprint_bytes);
  text += fmt::format("    {:<18} {:>12}   budget: {}\n", "total", bytes_to_text(plan.footprint_bytes), budget);
  if (!plan.split) {
    text += fmt::format("    {:<18} {:>12}   in the smallest tiles\n", "least possible",
                        bytes_to_text(plan.smallest_footprint_bytes));
  }
  text += fmt::format("    {:<18} {:>12}   {:.1f} times this total: the padded arrays of the usual script\n",
                      "nine copies", bytes_to_text(nine_copies), ratio);
  text += "\n  host memory of a run\n";
  for (const LedgerLine& line : plan.host_ledger) {
    text += fmt::format("    {:<18} {:>12}   {}\n", line.name, bytes_to_text(line.bytes), line.note);
  }
  text += fmt::format("    {:<18} {:>12}   beside image and output\n", "total", bytes_to_text(plan.host_bytes));
  return text;
}

std::string seconds_to_text(double seconds) {
  if (seconds < 1e-3) return fmt::format("{:.0f} us", 1e6 * seconds);
  if (seconds < 1) return fmt::format("{:.2f} ms", 1e3 * seconds);
  return fmt::format("{:.1f} s", seconds);
}

std::string prediction_to_text(const Plan& plan) {
  const std::string time = plan.predicted_seconds > 0 ? seconds_to_text(plan.predicted_seconds) : "time unknown";
  return fmt::format("\n  predicted            {}: {} through device memory, {} to and from the host\n", time,
                     bytes_to_text(plan.traffic_bytes), bytes_to_text(plan.transfer_bytes));
}

std::string reasons_to_text(const Plan& plan) {
  std::string text = "\n  reasons\n";
  for (const std::string& reason : plan.reasons) text += fmt::format("    - {}\n", reason);
  return text;
}

Json to_json(const Shape& shape) { return {shape.z, shape.y, shape.x}; }

Json per_axis(const Plan& plan, Index AxisPlan::*field) {
  return {plan.axes[0].*field, plan.axes[1].*field, plan.axes[2].*field};
}

Json spec_to_json(const ConvolutionSpec& spec) {
  Json json{{"image", to_json(spec.image)},
            {"kernel", to_json(spec.kernel)},
            {"output", to_json(output_shape(spec))},
            {"mode", name(spec.mode)},
            {"boundary", name(spec.boundary)},
            {"origin", name(spec.origin.rule)},
            {"operation", name(spec.operation)},
            {"precision", name(spec.precision)},
            {"normalize_kernel", spec.normalize_kernel}};
  if (spec.num_kernels > 1 || spec.pairing != Pairing::all) {
    json["num_kernels"] = spec.num_kernels;
    json["pairing"] = name(spec.pairing);
  }
  if (spec.region) json["region"] = to_text(*spec.region);
  if (spec.boundary == Boundary::constant) json["constant"] = spec.constant;
  if (spec.origin.rule == Origin::Rule::at) json["origin"] = to_json(spec.origin.index);
  return json;
}

Json device_axes_to_json(const Plan& plan) {
  Json json = Json::array();
  for (const int axis : plan.device_axes) json.push_back(std::string(1, axis_name(axis)));
  return json;
}

std::string division_to_text(const Plan& plan) {
  if (const auto& split = plan.split) {
    return fmt::format("{} parts along {} in {} convolutions, {}; sizes and device memory are those of one part\n",
                       split->num_parts, axis_name(split->axis), split->num_convolutions, name(plan.path));
  }
  const std::string in_flight = plan.num_in_flight > 1 ? fmt::format(", {} in flight", plan.num_in_flight) : "";
  std::string batch = plan.batch > 1 ? fmt::format(" in batches of {}", plan.batch) : "";
  if (plan.kernels_at_once > 1) batch += fmt::format(" with {} kernels at once", plan.kernels_at_once);
  return fmt::format("{} tile{}{}{}, {}\n", plan.num_tiles(), plan.num_tiles() == 1 ? "" : "s", batch, in_flight,
                     name(plan.path));
}

}  // namespace

std::string to_text(const Plan& plan) {
  return task_to_text(plan) + division_to_text(plan) + axes_to_text(plan) + memory_to_text(plan) +
         prediction_to_text(plan) + reasons_to_text(plan);
}

std::string to_json(const Plan& plan) {
  Json json{{"kind", "convolution"}, {"spec", spec_to_json(plan.spec)}};
  json["method"] = name(plan.method());
  json["path"] = name(plan.path);
  json["padded"] = to_json(plan.padded());
  json["tiles"] = per_axis(plan, &AxisPlan::num_tiles);
  json["num_tiles"] = plan.num_tiles();
  if (const auto& split = plan.split) {
    json["split"] = {{"axis", std::string(1, axis_name(split->axis))},
                     {"num_parts", split->num_parts},
                     {"num_convolutions", split->num_convolutions}};
  }
  json["num_in_flight"] = plan.num_in_flight;
  json["tile_input"] = per_axis(plan, &AxisPlan::tile_input);
  json["tile_output"] = per_axis(plan, &AxisPlan::tile_output);
  json["kernel_used"] = per_axis(plan, &AxisPlan::kernel_size);
  json["device_axes"] = device_axes_to_json(plan);
  json["num_transforms"] = plan.num_transforms;
  json["images"] = plan.spec.batch;
  json["batch"] = plan.batch;
  json["kernels_at_once"] = plan.kernels_at_once;
  json["row_pitch"] = plan.row_pitch;
  json["kernel_extent"] = plan.kernel_extent;
  if (plan.path == Path::separable) json["separable_terms"] = plan.separable_terms;
  json["ledger"] = ledger_to_json(plan.ledger);
  json["host_ledger"] = ledger_to_json(plan.host_ledger);
  json["host_bytes"] = plan.host_bytes;
  json["footprint_bytes"] = plan.footprint_bytes;
  json["budget_bytes"] = plan.budget_bytes == UINT64_MAX ? Json(nullptr) : Json(plan.budget_bytes);
  json["smallest_footprint_bytes"] = plan.smallest_footprint_bytes;
  json["nine_copy_bytes"] = nine_copy_bytes(plan.spec);
  json["predicted_seconds"] = plan.predicted_seconds > 0 ? Json(plan.predicted_seconds) : Json(nullptr);
  json["traffic_bytes"] = plan.traffic_bytes;
  json["transfer_bytes"] = plan.transfer_bytes;
  json["reasons"] = plan.reasons;
  return json.dump(2);
}

}  // namespace convoy::inline v0
