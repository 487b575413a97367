#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "convoy/deconvolution.hpp"
#include "dif_split/plan.hpp"
#include "planner/ledger_json.hpp"
#include "planner/lengths.hpp"

namespace convoy::inline v0 {
namespace {

using Json = nlohmann::ordered_json;

std::string task_to_text(const DeconvolutionPlan& plan) {
  const DeconvolutionSpec& spec = plan.spec;
  std::string text = fmt::format("deconvolve image {} with PSF {} (zyx), {}", to_text(spec.image), to_text(spec.psf),
                                 name(spec.algorithm));
  if (spec.algorithm != Algorithm::wiener) text += fmt::format(", {} iterations", spec.iterations);
  if (spec.acceleration != Acceleration::none) text += fmt::format(", acceleration {}", name(spec.acceleration));
  if (spec.algorithm != Algorithm::wiener) text += fmt::format(", start {}", name(spec.start));
  if (spec.start == Start::value) text += fmt::format(" {}", spec.start_value);
  if (spec.stop != Stop::none) text += fmt::format(", stop {}", name(spec.stop));
  if (spec.tv > 0) text += fmt::format(", total variation {}", spec.tv);
  if (spec.compatibility != Compatibility::none) text += fmt::format(", as {}", name(spec.compatibility));
  text += fmt::format(", edges {}, {}\n", name(spec.edges), name(spec.precision));
  if (const auto& fast = plan.fast) {
    return text +
           fmt::format("all iterations of a tile at once, {} tiles of {} zyx, {} of them halo on each side, {}\n",
                       fast->num_tiles(), to_text(fast->tile), to_text(fast->halo), name(plan.convolution.path)) +
           (spec.region ? fmt::format("of the region {} alone\n", to_text(*spec.region)) : "");
  }
  if (!plan.is_tiled()) return text + fmt::format("at once, {}\n", name(plan.convolution.path));
  return text + fmt::format("each blur in {} {}, each adjoint in {} {}, {}\n", plan.convolution.num_pieces(),
                            name_of_pieces(plan.convolution), plan.adjoint->num_pieces(), name_of_pieces(*plan.adjoint),
                            name(plan.convolution.path));
}

std::string axes_to_text(const DeconvolutionPlan& plan) {
  std::string text =
      fmt::format("\n  axis {:>10} {:>10} {:>10} {:>10}  {:<14}\n", "image", "PSF", "unknown", "padded", "factors");
  for (int axis = 0; axis < 3; ++axis) {
    const FrameAxis& frame = plan.axes[static_cast<std::size_t>(axis)];
    const Index padded = plan.convolution.axes[static_cast<std::size_t>(axis)].padded;
    text += fmt::format("  {:<4} {:>10} {:>10} {:>10} {:>10}  {:<14}\n", axis_name(axis), frame.image,
                        plan.spec.psf[axis], frame.frame, padded, factors_to_text(padded));
  }
  return text;
}

std::string memory_to_text(const DeconvolutionPlan& plan) {
  std::string text = "\n  device memory\n";
  for (const LedgerLine& line : plan.ledger) {
    text += fmt::format("    {:<24} {:>12}   {}\n", line.name, bytes_to_text(line.bytes), line.note);
  }
  const std::string budget = plan.budget_bytes == UINT64_MAX ? "no limit" : bytes_to_text(plan.budget_bytes);
  text += fmt::format("    {:<24} {:>12}   budget: {}\n", "total", bytes_to_text(plan.footprint_bytes), budget);
  if (plan.host_bytes == 0) return text;
  text += "\n  host memory of a run\n";
  for (const LedgerLine& line : plan.host_ledger) {
    text += fmt::format("    {:<24} {:>12}   {}\n", line.name, bytes_to_text(line.bytes), line.note);
  }
  text += fmt::format("    {:<24} {:>12}\n", "total", bytes_to_text(plan.host_bytes));
  if (!plan.in_scratch) return text;
  text += "\n  scratch file\n";
  for (const LedgerLine& line : plan.scratch_ledger) {
    text += fmt::format("    {:<24} {:>12}   {}\n", line.name, bytes_to_text(line.bytes), line.note);
  }
  text += fmt::format("    {:<24} {:>12}\n", "total", bytes_to_text(plan.scratch_bytes));
  return text;
}

std::string prediction_to_text(const DeconvolutionPlan& plan) {
  const std::string time =
      plan.predicted_seconds > 0 ? fmt::format("{:.3g} ms", 1e3 * plan.predicted_seconds) : "time unknown";
  return fmt::format("\n  predicted            {} an iteration: {} through device memory\n", time,
                     bytes_to_text(plan.traffic_bytes));
}

Json to_json(const Shape& shape) { return {shape.z, shape.y, shape.x}; }

Json spec_to_json(const DeconvolutionSpec& spec) {
  return {{"image", to_json(spec.image)},
          {"psf", to_json(spec.psf)},
          {"algorithm", name(spec.algorithm)},
          {"iterations", spec.iterations},
          {"acceleration", name(spec.acceleration)},
          {"tv", spec.tv},
          {"damping", spec.damping},
          {"relaxation", spec.relaxation},
          {"clip", spec.clip},
          {"wiener_noise", spec.wiener_noise},
          {"compatibility", name(spec.compatibility)},
          {"edges", name(spec.edges)},
          {"start", spec.start == Start::value ? Json(spec.start_value) : Json(name(spec.start))},
          {"background", spec.estimate_background ? Json("auto") : Json(spec.background)},
          {"stop", name(spec.stop)},
          {"stop_relative_change", spec.stop_relative_change},
          {"origin", name(spec.origin.rule)},
          {"precision", name(spec.precision)},
          {"psf_negative", name(spec.psf_negative)},
          {"normalize_psf", spec.normalize_psf},
          {"region", spec.region ? Json(to_text(*spec.region)) : Json(nullptr)}};
}

}  // namespace

std::string to_text(const DeconvolutionPlan& plan) {
  std::string text = task_to_text(plan) + axes_to_text(plan) + memory_to_text(plan) + prediction_to_text(plan);
  text += "\n  reasons\n";
  for (const std::string& reason : plan.reasons) text += fmt::format("    - {}\n", reason);
  return text;
}

std::string to_json(const DeconvolutionPlan& plan) {
  Json json{{"kind", "deconvolution"}, {"spec", spec_to_json(plan.spec)}};
  json["path"] = name(plan.convolution.path);
  json["frame"] = to_json(plan.frame());
  json["tiling"] = plan.is_tiled() || plan.fast ? name(plan.spec.tiles) : "none";
  json["num_tiles"] = plan.fast ? plan.fast->num_tiles() : plan.convolution.num_pieces();
  json["convolution"] = Json::parse(to_json(plan.convolution));
  json["adjoint"] = plan.adjoint ? Json::parse(to_json(*plan.adjoint)) : Json(nullptr);
  if (const auto& fast = plan.fast) {
    json["tile"] = to_json(fast->tile);
    json["core"] = to_json(fast->core);
    json["halo"] = to_json(fast->halo);
  }
  json["batch"] = plan.convolution.batch;
  json["padded"] = to_json(plan.convolution.padded());
  json["ledger"] = ledger_to_json(plan.ledger);
  json["footprint_bytes"] = plan.footprint_bytes;
  json["budget_bytes"] = plan.budget_bytes == UINT64_MAX ? Json(nullptr) : Json(plan.budget_bytes);
  json["host_ledger"] = ledger_to_json(plan.host_ledger);
  json["host_bytes"] = plan.host_bytes;
  json["scratch_ledger"] = ledger_to_json(plan.scratch_ledger);
  json["scratch_bytes"] = plan.scratch_bytes;
  json["predicted_seconds"] = plan.predicted_seconds > 0 ? Json(plan.predicted_seconds) : Json(nullptr);
  json["traffic_bytes"] = plan.traffic_bytes;
  json["reasons"] = plan.reasons;
  return json.dump(2);
}

}  // namespace convoy::inline v0
