#include "c_api/convert.hpp"
#include "c_api/stream.hpp"

struct convoy_convolver {
  convoy::Convolver convolver;
  convoy::RunReport last = {};
};

namespace convoy::c_api {
namespace {

ConvolverOptions convolver_options(const convoy_options* given) {
  const Options from = options_from(given);
  ConvolverOptions options;
  options.plan = from.plan;
  options.sums = from.sums;
  options.stop = from.stop;
  options.weights = from.weights;
  if (from.progress) {
    options.progress = [call = from.progress](const Progress& now) {
      return call({sizeof(convoy_progress), now.tiles_done, now.num_tiles, now.elapsed_seconds, 0, now.fraction()});
    };
  }
  return options;
}

}  // namespace

void write_report(convoy_run_report* target, const RunReport& report) {
  convoy_run_report result{};
  result.elapsed_seconds = report.elapsed_seconds;
  result.num_tiles = report.num_tiles;
  result.skipped_tiles = report.skipped_tiles;
  result.peak_device_bytes = report.peak_device_bytes;
  result.kernel_factor = report.kernel_factor;
  result.non_finite_voxels = report.non_finite_voxels;
  result.nan_voxels = report.nan_voxels;
  result.no_data_voxels = report.no_data_voxels;
  result.inexact_voxels = report.inexact_voxels;
  result.saturated_voxels = report.saturated_voxels;
  result.input_sum = report.input_sum;
  result.output_sum = report.output_sum;
  result.lowest_voxel = report.lowest_voxel;
  result.highest_voxel = report.highest_voxel;
  result.dynamic_range = report.dynamic_range;
  result.rounding_error = report.rounding_error;
  write_struct(target, target->struct_size, result, "report");
}

}  // namespace convoy::c_api

using namespace convoy::c_api;

int convoy_plan_json(const convoy_convolution_spec* spec, const convoy_device* device, const convoy_options* options,
                     char** json) {
  return guarded([&] {
    char*& target = required(json, "json");
    target = new_text(convoy::to_json(
        convoy::make_plan(spec_from(spec), required(device, "device").device, options_from(options).plan)));
  });
}

int convoy_convolve(const convoy_image* image, const convoy_image* kernel, const convoy_convolution_spec* spec,
                    const convoy_device* device, const convoy_image* output) {
  return guarded([&] {
    const convoy::ImageView from = view_of(image, "image"), filter = view_of(kernel, "kernel");
    const convoy::MutableImageView to = mutable_view_of(output, "output");
    convoy::ConvolutionSpec what = spec != nullptr ? spec_from(spec) : convoy::ConvolutionSpec();
    what.image = from.shape;
    what.kernel = filter.shape;
    what.num_kernels = filter.batch;
    what.batch = 1;
    what.batch = from.batch / convoy::num_images(what);  // several for each output, of the adjoint
    convoy::Convolver(what, filter, device != nullptr ? device->device : convoy::open_device()).run(from, to);
  });
}

int convoy_convolver_create(const convoy_convolution_spec* spec, const convoy_image* kernel,
                            const convoy_device* const* devices, size_t num_devices, const convoy_options* options,
                            convoy_convolver** convolver) {
  return guarded([&] {
    give(convolver, "convolver",
         convoy::Convolver(spec_from(spec), view_of(kernel, "kernel"), devices_from(devices, num_devices),
                           convolver_options(options)));
  });
}

int convoy_convolver_run(convoy_convolver* convolver, const convoy_image* image, const convoy_image* output,
                         convoy_run_report* report) {
  return guarded([&] {
    convoy_convolver& own = required(convolver, "convolver");
    if (report != nullptr) checked_size(report->struct_size, "report");
    own.last = own.convolver.run(view_of(image, "image"), mutable_view_of(output, "output"));
    if (report != nullptr) write_report(report, own.last);
  });
}

int convoy_convolver_run_stream(convoy_convolver* convolver, const convoy_reader* image, const convoy_writer* output,
                                convoy_run_report* report) {
  return guarded([&] {
    convoy_convolver& own = required(convolver, "convolver");
    if (report != nullptr) checked_size(report->struct_size, "report");
    const CallbackReader reader(image, "image");
    CallbackWriter writer(output, "output");
    own.last = own.convolver.run(reader, writer);
    if (report != nullptr) write_report(report, own.last);
  });
}

int convoy_convolver_plan_json(const convoy_convolver* convolver, char** json) {
  return guarded(
      [&] { required(json, "json") = new_text(convoy::to_json(required(convolver, "convolver").convolver.plan())); });
}

int convoy_convolver_share(const convoy_convolver* convolver, size_t index, int64_t* num_tiles, const char** failure) {
  return guarded([&] { share_of(required(convolver, "convolver").last.devices, index, num_tiles, failure); });
}

void convoy_convolver_destroy(convoy_convolver* convolver) { delete convolver; }
