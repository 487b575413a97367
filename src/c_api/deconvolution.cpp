#include "c_api/convert.hpp"
#include "c_api/stream.hpp"

struct convoy_deconvolver {
  convoy::Deconvolver deconvolver;
  convoy::DeconvolutionReport last = {};
};

namespace convoy::c_api {
namespace {

constexpr Choice<StopReason> kStopReasons[] = {{CONVOY_STOPPED_BY_ITERATIONS, StopReason::iterations},
                                               {CONVOY_STOPPED_BY_RELATIVE_CHANGE, StopReason::relative_change},
                                               {CONVOY_STOPPED_BY_GRADIENT_CONSENSUS, StopReason::gradient_consensus},
                                               {CONVOY_STOPPED_BY_DISCREPANCY, StopReason::discrepancy}};

DeconvolverOptions deconvolver_options(const convoy_options* given) {
  const Options from = options_from(given);
  DeconvolverOptions options;
  options.plan = from.plan;
  options.curve = from.curve;
  options.stop = from.stop;
  if (from.progress) {
    options.progress = [call = from.progress](const DeconvolutionProgress& now) {
      return call({sizeof(convoy_progress), now.iterations_done, now.num_iterations, now.elapsed_seconds,
                   now.relative_change, now.fraction()});
    };
  }
  return options;
}

convoy_iteration_sums to_c(const IterationSums& sums) {
  return {sizeof(convoy_iteration_sums), sums.iteration, sums.divergence, sums.modelled_flux, sums.relative_change};
}

void keep_and_report(convoy_deconvolver& own, DeconvolutionReport report, convoy_deconvolution_report* target) {
  if (target != nullptr) write_report(target, report);
  own.last = std::move(report);
}

}  // namespace

void write_report(convoy_deconvolution_report* target, const DeconvolutionReport& report) {
  convoy_deconvolution_report result{};
  result.iterations = report.iterations;
  result.stop_reason = number_of(kStopReasons, report.stop_reason);
  result.elapsed_seconds = report.elapsed_seconds;
  result.iterating_seconds = report.iterating_seconds;
  result.peak_device_bytes = report.peak_device_bytes;
  result.missing_voxels = report.missing_voxels;
  result.non_finite_voxels = report.non_finite_voxels;
  result.saturated_input_voxels = report.saturated_input_voxels;
  result.negative_voxels = report.negative_voxels;
  result.negative_sum = report.negative_sum;
  result.saturated_voxels = report.saturated_voxels;
  result.input_sum = report.input_sum;
  result.output_sum = report.output_sum;
  result.seam_voxels = report.seam.voxels;
  result.seam_relative_l2 = report.seam.relative_l2;
  result.seam_largest_difference = report.seam.largest_difference;
  result.skipped_tiles = report.skipped_tiles;
  result.psf_factor = report.psf.factor;
  result.psf_negative_voxels = report.psf.negative_voxels;
  result.psf_negative_part = report.psf.negative_part;
  result.psf_pedestal_part = report.psf.pedestal_part;
  result.background = report.background;
  result.dim_level = report.dim_level;
  write_struct(target, target->struct_size, result, "report");
}

}  // namespace convoy::c_api

using namespace convoy::c_api;

int convoy_deconvolution_plan_json(const convoy_deconvolution_spec* spec, const convoy_device* device,
                                   const convoy_options* options, char** json) {
  return guarded([&] {
    char*& target = required(json, "json");
    target = new_text(convoy::to_json(
        convoy::make_plan(spec_from(spec), required(device, "device").device.limits(), options_from(options).plan)));
  });
}

int convoy_deconvolver_create(const convoy_deconvolution_spec* spec, const convoy_image* psf,
                              const convoy_device* const* devices, size_t num_devices, const convoy_options* options,
                              convoy_deconvolver** deconvolver) {
  return guarded([&] {
    give(deconvolver, "deconvolver",
         convoy::Deconvolver(spec_from(spec), view_of(psf, "psf"), devices_from(devices, num_devices),
                             deconvolver_options(options)));
  });
}

int convoy_deconvolver_run(convoy_deconvolver* deconvolver, const convoy_image* image, const convoy_image* mask,
                           const convoy_image* output, convoy_deconvolution_report* report) {
  return guarded([&] {
    convoy_deconvolver& own = required(deconvolver, "deconvolver");
    if (report != nullptr) checked_size(report->struct_size, "report");
    std::optional<convoy::ImageView> where;
    if (mask != nullptr) where = view_of(mask, "mask");
    keep_and_report(own, own.deconvolver.run(view_of(image, "image"), mutable_view_of(output, "output"), where),
                    report);
  });
}

int convoy_deconvolver_run_stream(convoy_deconvolver* deconvolver, const convoy_reader* image,
                                  const convoy_reader* mask, const convoy_writer* output,
                                  convoy_deconvolution_report* report) {
  return guarded([&] {
    convoy_deconvolver& own = required(deconvolver, "deconvolver");
    if (report != nullptr) checked_size(report->struct_size, "report");
    const CallbackReader reader(image, "image");
    CallbackWriter writer(output, "output");
    std::optional<CallbackReader> where;
    convoy::ImageReaders masks;
    if (mask != nullptr) masks.push_back(&where.emplace(mask, "mask"));
    keep_and_report(own, own.deconvolver.run(convoy::ImageReaders{&reader}, convoy::ImageWriters{&writer}, masks),
                    report);
  });
}

int convoy_deconvolver_share(const convoy_deconvolver* deconvolver, size_t index, int64_t* num_tiles,
                             const char** failure) {
  return guarded([&] { share_of(required(deconvolver, "deconvolver").last.devices, index, num_tiles, failure); });
}

int convoy_deconvolver_curve(const convoy_deconvolver* deconvolver, convoy_iteration_sums* sums, size_t capacity,
                             size_t* count) {
  return guarded([&] {
    const auto& curve = required(deconvolver, "deconvolver").last.curve;
    required(count, "count") = curve.size();
    if (capacity == 0) return;
    const std::size_t size = checked_size(required(sums, "sums").struct_size, "sums");
    for (std::size_t i = 0; i < std::min(capacity, curve.size()); ++i) {
      auto* place = reinterpret_cast<convoy_iteration_sums*>(reinterpret_cast<char*>(sums) + i * size);
      write_struct(place, size, to_c(curve[i]), "sums");
    }
  });
}

void convoy_deconvolver_destroy(convoy_deconvolver* deconvolver) { delete deconvolver; }
