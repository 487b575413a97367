#include "cli/deconvolution_report.hpp"

#include <cmath>

#include "cli/command_line.hpp"
#include "convoy/version.hpp"

namespace convoy::cli {
namespace {

Json curve_to_json(const std::vector<IterationSums>& curve) {
  Json json = Json::array();
  for (const IterationSums& sums : curve) {
    json.push_back({{"iteration", sums.iteration},
                    {"divergence", sums.divergence},
                    {"modelled_flux", sums.modelled_flux},
                    {"relative_change", std::isfinite(sums.relative_change) ? Json(sums.relative_change) : Json()}});
  }
  return json;
}

Json psf_to_json(const PsfReport& psf) {
  return {{"factor", psf.factor},
          {"negative_voxels", psf.negative_voxels},
          {"negative_part", psf.negative_part},
          {"pedestal_part", psf.pedestal_part}};
}

}  // namespace

std::uint64_t DeconvolveRecord::planned_host_bytes() const {
  return host_bytes_beside_plan + (plan.is_tiled() ? 1 : num_own_devices) * plan.host_bytes;
}

std::string to_json(const DeconvolveRecord& record) {
  const DeconvolutionReport& run = record.run;
  Json json;
  json["version"] = CONVOY_VERSION;
  json["command"] = command_line();
  const DeviceInfo& first = record.devices.front();
  json["backend"] = first.id.substr(0, first.id.find(':'));
  json["device"] = device_to_json(first);
  json["devices"] = devices_to_json(record.devices, run.devices);
  json["image"] = file_to_json(record.image_path, record.plan.spec.image, record.image_element);
  json["psf"] = file_to_json(record.psf_path, record.plan.spec.psf, record.psf_element);
  if (!record.mask_path.empty()) json["mask"] = record.mask_path;
  json["output"] = file_to_json(record.output_path, record.output_shape, record.output_element);
  json["num_images"] = record.num_images;
  json["plan"] = Json::parse(to_json(record.plan));
  json["timings"] = times_to_json(record.times);
  json["iterations"] = run.iterations;
  json["stop_reason"] = name(run.stop_reason);
  json["iterating_seconds"] = run.iterating_seconds;
  json["seconds_per_iteration"] =
      run.iterations > 0 ? Json(run.iterating_seconds / static_cast<double>(run.iterations)) : Json();
  json["background"] = run.background;
  json["dim_level"] = run.dim_level;
  json["input_sum"] = run.input_sum;
  json["output_sum"] = run.output_sum;
  json["missing_voxels"] = run.missing_voxels;
  json["non_finite_voxels"] = run.non_finite_voxels;
  json["saturated_input_voxels"] = run.saturated_input_voxels;
  json["psf_factor"] = run.psf.factor;
  json["psf_negative_voxels"] = run.psf.negative_voxels;
  json["psf_negative_part"] = run.psf.negative_part;
  json["psf_pedestal_part"] = run.psf.pedestal_part;
  if (record.psfs.size() > 1) {
    for (const PsfReport& psf : record.psfs) json["psfs"].push_back(psf_to_json(psf));
  }
  json["negative_voxels"] = run.negative_voxels;
  json["negative_sum"] = run.negative_sum;
  json["saturated_voxels"] = run.saturated_voxels;
  json["skipped_tiles"] = run.skipped_tiles;
  json["peak_device_bytes"] = run.peak_device_bytes;
  json["ram_limit_bytes"] = record.ram_limit_bytes;
  json["planned_host_bytes"] = record.planned_host_bytes();
  json["peak_host_bytes"] = record.peak_host_bytes;
  if (record.plan.fast) {
    json["seam"] = {{"voxels", run.seam.voxels},
                    {"relative_l2", run.seam.relative_l2},
                    {"largest_difference", run.seam.largest_difference}};
  }
  if (!record.ranks.empty()) json["ranks"] = ranks_to_json(record.ranks);
  json["warnings"] = record.warnings;
  json["curve"] = curve_to_json(run.curve);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace convoy::cli
