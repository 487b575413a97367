#include "report.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "convoy/error.hpp"
#include "convoy/version.hpp"
#include "floors.hpp"
#include "host_info.hpp"

namespace convoy::bench {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const Times& times) {
  return {{"min", times.min_seconds},
          {"median", times.median_seconds},
          {"max", times.max_seconds},
          {"batch_size", times.batch_size},
          {"num_batches", times.num_batches}};
}

Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

/// Keys whose value was not measured are left out.
void put_rate(Json& json, const char* key, double rate) {
  if (rate > 0) json[key] = rate;
}

void put(Json& json, const Ceilings& ceilings) {
  if (ceilings.measured_by.empty()) return;
  put_rate(json, "copy_ceiling_bytes_per_second", ceilings.copy_bytes_per_second);
  put_rate(json, "host_to_device_bytes_per_second", ceilings.host_to_device_bytes_per_second);
  put_rate(json, "device_to_host_bytes_per_second", ceilings.device_to_host_bytes_per_second);
  json["ceilings_measured_by"] = ceilings.measured_by;
}

void put(Json& json, const PlanFigures& plan) {
  json["path"] = plan.path;
  json["num_tiles"] = plan.num_tiles;
  json["plan_seconds"] = plan.plan_seconds;
  json["first_load_seconds"] = plan.first_load_seconds;
  if (plan.next_load_seconds > 0) json["next_load_seconds"] = plan.next_load_seconds;
  json["footprint_bytes"] = plan.footprint_bytes;
  json["peak_device_bytes"] = plan.peak_device_bytes;
  if (plan.footprint_bytes > 0) {
    json["peak_over_footprint"] =
        static_cast<double>(plan.peak_device_bytes) / static_cast<double>(plan.footprint_bytes);
  }
  if (plan.driver_device_bytes > 0) json["driver_device_bytes"] = plan.driver_device_bytes;
  json["traffic_bytes"] = plan.traffic_bytes;
  json["transfer_bytes"] = plan.transfer_bytes;
  json["floor_bytes"] = plan.floor_bytes;
}

/// What follows from times, bytes and ceilings.
void put_ratios(Json& json, const Result& result) {
  const double ceiling = result.ceilings.copy_bytes_per_second;
  if (result.reference_floor_bytes && ceiling > 0) {
    json["reference_floor_seconds"] = *result.reference_floor_bytes / ceiling;
    json["reference_padded_zyx"] = zyx(*result.which.reference_padded);
  }
  if (!result.plan || ceiling <= 0) return;
  json["floor_seconds"] = result.plan->floor_bytes / ceiling;
  if (result.resident) {
    const double seconds = result.resident->median_seconds;
    const double rate = static_cast<double>(result.plan->traffic_bytes) / seconds;
    json["traffic_bytes_per_second"] = rate;
    json["traffic_over_copy_ceiling"] = rate / ceiling;
    json["median_over_floor"] = seconds * ceiling / result.plan->floor_bytes;
  }
  const double up = result.ceilings.host_to_device_bytes_per_second;
  const double down = result.ceilings.device_to_host_bytes_per_second;
  if (up > 0 && down > 0) {
    const double real = result.precision == Precision::f32 ? 4 : 8;
    const double image = real * static_cast<double>(num_voxels(result.which.image));
    const double bound = std::max(image / up, image / down);
    json["bus_bound_seconds"] = bound;
    if (result.host_to_host) json["host_to_host_over_bus_bound"] = result.host_to_host->median_seconds / bound;
    if (result.pinned_to_pinned) {
      json["pinned_to_pinned_over_bus_bound"] = result.pinned_to_pinned->median_seconds / bound;
    }
  }
}

Json to_json(const Result& result) {
  Json json;
  json["case"] = result.which.name;
  json["scale"] = result.which.scale;
  json["image_zyx"] = zyx(result.which.image);
  json["kernel_zyx"] = zyx(result.which.kernel);
  json["mode"] = name(result.which.mode);
  json["batch"] = result.which.batch;
  if (result.which.sigma > 0) json["sigma"] = result.which.sigma;
  json["element"] = name(result.which.element);
  json["compulsory_bytes"] = compulsory_bytes(result.which);
  json["precision"] = name(result.precision);
  json["implementation"] = result.implementation;
  json["backend"] = result.backend;
  json["device_id"] = result.device_id;
  json["device"] = result.device_name;
  json["driver"] = result.driver;
  if (!result.libraries.empty()) json["libraries"] = result.libraries;
  if (result.num_threads > 0) json["num_threads"] = result.num_threads;
  if (result.padded.x > 0) json["padded_zyx"] = zyx(result.padded);
  json["passed"] = result.passed();
  if (!result.failure.empty()) json["failure"] = result.failure;
  if (!result.note.empty()) json["note"] = result.note;
  if (result.verdict.num_checked > 0) {
    json["error_relative_l2"] = finite(result.verdict.relative_l2);
    json["tolerance_relative_l2"] = result.verdict.tolerance;
    json["num_voxels_checked"] = result.verdict.num_checked;
  }
  if (result.plan) put(json, *result.plan);
  if (result.device_bytes > 0) json["device_bytes"] = result.device_bytes;
  if (result.resident) json["resident_seconds"] = to_json(*result.resident);
  if (result.host_to_host) {
    json["host_to_host_seconds"] = to_json(*result.host_to_host);
    json["host_to_host_tiles"] = result.host_num_tiles;
    json["host_to_host_tiles_in_flight"] = result.host_num_sets;
  }
  if (result.pinned_to_pinned) json["pinned_to_pinned_seconds"] = to_json(*result.pinned_to_pinned);
  put(json, result.ceilings);
  put_ratios(json, result);
  return json;
}

std::string milliseconds(double seconds) {
  const double ms = 1e3 * seconds;
  return ms < 10 ? fmt::format("{:.3f}", ms) : ms < 100 ? fmt::format("{:.2f}", ms) : fmt::format("{:.1f}", ms);
}

std::string times_text(const std::optional<Times>& times) {
  if (!times) return "-";
  return fmt::format("{} ({}..{})", milliseconds(times->median_seconds), milliseconds(times->min_seconds),
                     milliseconds(times->max_seconds));
}

}  // namespace

Json zyx(const Shape& shape) { return Json::array({shape.z, shape.y, shape.x}); }

std::string table_header() {
  return fmt::format("{:<16}{:<9}{:<8}{:<15}{:<8}{:>9}  {:<26}{:>7}{:>8}  {:<26}{:<26}{:>8}{:>8}{:>9}\n", "case",
                     "what", "on", "padded zyx", "path", "error", "resident ms (min..max)", "/floor", "% copy",
                     "host to host ms", "pinned ms", "load s", "again", "peak MB");
}

std::string table_line(const Result& result) {
  std::string over_floor = "-";
  std::string of_copy = "-";
  std::string first = "-";
  std::string next = "-";
  std::string path = "-";
  std::uint64_t bytes = result.device_bytes;
  if (result.plan) {
    const PlanFigures& plan = *result.plan;
    bytes = plan.peak_device_bytes;
    path = plan.num_tiles > 1 ? fmt::format("{}x{}", plan.path, plan.num_tiles) : plan.path;
    first = fmt::format("{:.3f}", plan.first_load_seconds);
    if (plan.next_load_seconds > 0) next = fmt::format("{:.3f}", plan.next_load_seconds);
    const double ceiling = result.ceilings.copy_bytes_per_second;
    if (result.resident && ceiling > 0) {
      const double seconds = result.resident->median_seconds;
      over_floor = fmt::format("{:.2f}", seconds * ceiling / plan.floor_bytes);
      of_copy = fmt::format("{:.0f}", 100 * static_cast<double>(plan.traffic_bytes) / seconds / ceiling);
    }
  }
  std::string line = fmt::format(
      "{:<16}{:<9}{:<8}{:<15}{:<8}{:>9}  {:<26}{:>7}{:>8}  {:<26}{:<26}{:>8}{:>8}{:>9}\n", result.which.name,
      result.implementation, result.device_id, result.padded.x > 0 ? to_text(result.padded) : "-", path,
      result.verdict.num_checked > 0 ? fmt::format("{:.1e}", result.verdict.relative_l2) : "-",
      times_text(result.resident), over_floor, of_copy, times_text(result.host_to_host),
      times_text(result.pinned_to_pinned), first, next, fmt::format("{:.1f}", 1e-6 * static_cast<double>(bytes)));
  if (!result.failure.empty()) line += fmt::format("    not measured: {}\n", result.failure);
  if (result.failure.empty() && !result.verdict.passed()) {
    line += fmt::format("    WRONG: relative L2 error {:.3g} over {} voxels, at most {:.1g} is right\n",
                        result.verdict.relative_l2, result.verdict.num_checked, result.verdict.tolerance);
  }
  return line;
}

nlohmann::ordered_json document_head(const Options& options) {
  Json json;
  json["schema_version"] = 1;
  json["made_by"] = "convoy-bench";
  json["convoy_version"] = CONVOY_VERSION;
  json["commit"] = options.commit;
  json["command"] = options.command;
  json["date"] = utc_time();
  json["host_cpu"] = processor_name();
  json["system"] = system_name();
  json["results"] = Json::array();
  return json;
}

std::string to_json(const std::vector<Result>& results, const Options& options) {
  Json json = document_head(options);
  for (const Result& result : results) json["results"].push_back(to_json(result));
  return json.dump(1) + "\n";
}

void write_file(const std::string& path, const std::string& text) {
  const std::string temporary = path + ".part";
  std::ofstream file(temporary, std::ios::binary);
  file << text;
  file.close();
  if (!file || std::rename(temporary.c_str(), path.c_str()) != 0) {
    std::remove(temporary.c_str());
    throw Error(Errc::io, fmt::format("'{}' could not be written", path));
  }
}

}  // namespace convoy::bench
