#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <optional>

#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/deconvolution_job.hpp"
#include "cli/deconvolution_options.hpp"
#include "cli/deconvolution_report.hpp"
#include "cli/device_options.hpp"
#include "cli/file_options.hpp"
#include "cli/image_list.hpp"
#include "cli/interrupt.hpp"
#include "cli/kernel_check.hpp"
#include "cli/memory_trace.hpp"
#include "cli/print.hpp"
#include "cli/process_memory.hpp"
#include "cli/progress_bar.hpp"
#include "cli/psf_options.hpp"
#include "cli/run_picture.hpp"
#include "cli/stop_watch.hpp"
#include "convoy/io.hpp"

namespace convoy::cli {
namespace {

struct DeconvolveCommand {
  std::string image_path;
  std::string psf_path;  ///< or several
  std::string output_path;
  std::string mask_path;
  std::string report_path;
  std::string picture_path;
  DeconvolutionOptions options;
  PsfOptions psf_options;
  DeviceOptions devices;
  FileOptions files;
  std::optional<Element> element;
  bool trace_memory = false;
  Verbosity verbosity;

  void require_paths() const;
  void run();
  void deconvolve(const std::vector<Device>& on, DeconvolveRecord& record);
  ImageList read_psfs(const ImageFileReader& image, DeconvolveRecord& record);
  DeconvolutionSpec spec_for(const ImageFileReader& image, const ImageList& psfs) const;
  JobDescription job(const DeconvolutionSpec& spec, const ImageList& psfs) const;
  DeconvolverOptions deconvolver_options(ProgressBar& bar, const ImageReader& reader, const ImageWriter& writer,
                                         const DeconvolveRecord& record) const;
  void warn_of_psf(const ImageView& psf, const PsfReport& met, const std::string& which,
                   DeconvolveRecord& record) const;
  void warn_of_psfs(const ImageList& psfs, const Deconvolver& deconvolver, DeconvolveRecord& record) const;
  void warn(DeconvolveRecord& record, const std::string& text) const;
  void warn_of_tiles(DeconvolveRecord& record) const;
  void warn_of_offset(DeconvolveRecord& record) const;
  void warn_of_voxels(DeconvolveRecord& record) const;
  void write_picture(const DeconvolveRecord& record) const;
  void summarize(const DeconvolveRecord& record) const;
};

void DeconvolveCommand::require_paths() const {
  std::vector<std::string> inputs = names_of(psf_path);
  inputs.push_back(image_path);
  if (!mask_path.empty()) inputs.push_back(mask_path);
  for (const std::string& input : inputs) {
    require_different_files(output_path, input);
    if (!report_path.empty()) require_different_files(report_path, input);
    if (!picture_path.empty()) require_different_files(picture_path, input);
  }
  if (!report_path.empty()) require_different_files(report_path, output_path);
  if (!picture_path.empty()) {
    require_different_files(picture_path, output_path);
    if (!report_path.empty()) require_different_files(picture_path, report_path);
    require_writable(picture_path);
  }
  require_writable_image(output_path, files.create_options({}));
  if (!report_path.empty()) require_writable(report_path);
}

void DeconvolveCommand::warn(DeconvolveRecord& record, const std::string& text) const {
  print_warning(text);
  record.warnings.push_back(text);
}

void DeconvolveCommand::warn_of_psf(const ImageView& psf, const PsfReport& met, const std::string& which,
                                    DeconvolveRecord& record) const {
  constexpr double kPedestal = 0.25;
  const DeconvolutionSpec& spec = record.plan.spec;
  if (spec.compatibility == Compatibility::skimage) {  // which takes negative voxels as they are
    for (const std::string& text : kernel_warnings(psf, spec.origin.index)) warn(record, which + text);
    return;
  }
  if (options.common.choices.origin.rule != Origin::Rule::peak) {
    if (const auto text = origin_warning("PSF", psf, spec.origin.index)) warn(record, which + *text);
  }
  if (met.negative_voxels > 0) {
    warn(record,
         which + fmt::format("the PSF has {} negative {}, whose sum is {:.2g} % of the others'; they are taken as "
                             "0: if too much background was subtracted, subtract less (--psf-negative error refuses "
                             "them)",
                             met.negative_voxels, met.negative_voxels == 1 ? "voxel" : "voxels",
                             100 * met.negative_part));
  }
  if (met.pedestal_part >= kPedestal) {
    warn(record,
         which + fmt::format("{:.0f} % of the PSF's sum is a constant as high as its border: if that is camera "
                             "background, subtract it from the PSF; if the PSF is cut off before it has fallen, take a "
                             "larger one",
                             100 * met.pedestal_part));
  }
}

void DeconvolveCommand::warn_of_psfs(const ImageList& psfs, const Deconvolver& deconvolver,
                                     DeconvolveRecord& record) const {
  const std::vector<std::string> names = names_of(psf_path);
  for (Index i = 0; i < psfs.count; ++i) {
    const std::string which = psfs.count > 1 ? names[static_cast<std::size_t>(i)] + ": " : "";
    record.psfs.push_back(deconvolver.psf(i));
    warn_of_psf(psfs.view().image(i), record.psfs.back(), which, record);
  }
}

JobDescription DeconvolveCommand::job(const DeconvolutionSpec& spec, const ImageList& psfs) const {
  if (!files.resume) return {};
  JobDescription job = describe_image(image_path, files);
  const JobDescription rest = describe_deconvolution(spec, options.core, psfs.view(), mask_path);
  job.insert(job.end(), rest.begin(), rest.end());
  return job;
}

DeconvolverOptions DeconvolveCommand::deconvolver_options(ProgressBar& bar, const ImageReader& reader,
                                                          const ImageWriter& writer,
                                                          const DeconvolveRecord& record) const {
  DeconvolverOptions deconvolver;
  deconvolver.plan = options.plan_options();
  deconvolver.plan.host_memory_limit_bytes =
      files.host_memory_limit_bytes(record.host_bytes_beside_plan, options.common.deterministic);
  deconvolver.plan.streaming = Streaming{reader.element(), writer.element(), reader.chunk(), writer.chunk()};
  deconvolver.plan.streaming->num_groups = record.num_images;
  deconvolver.plan.streaming->record_bytes = files.record_bytes();
  deconvolver.curve = !report_path.empty() || !picture_path.empty();
  deconvolver.stop = interrupt_token();
  deconvolver.progress = [&bar](const DeconvolutionProgress& progress) {
    bar.show(progress);
    return !interrupted();
  };
  if (trace_memory) {
    deconvolver.trace_memory = [&bar](const std::string& step, std::uint64_t used_bytes) {
      bar.clear();
      print_used_memory(step, used_bytes);
    };
  }
  return deconvolver;
}

/// Along axes whose length is not known, neighbours are as far apart as along the finest axis.
std::array<double, 3> spacing_from(const VoxelSize& size) {
  std::array<double, 3> spacing{size.z, size.y, size.x};
  const auto is_known = [](double length) { return length > 0 && std::isfinite(length); };
  double finest = 0;
  for (const double length : spacing) {
    if (is_known(length) && (finest == 0 || length < finest)) finest = length;
  }
  for (double& length : spacing) {
    if (!is_known(length)) length = finest > 0 ? finest : 1;
  }
  return spacing;
}

DeconvolutionSpec DeconvolveCommand::spec_for(const ImageFileReader& image, const ImageList& psfs) const {
  DeconvolutionSpec spec = options.spec(image.shape(), psfs.shape);
  spec.num_psfs = psfs.count;
  if (const auto& size = image.metadata().voxel_size) spec.voxel_size = spacing_from(*size);
  return spec;
}

ImageList DeconvolveCommand::read_psfs(const ImageFileReader& image, DeconvolveRecord& record) {
  const std::vector<std::string> names = names_of(psf_path);
  std::vector<Image> psfs;
  for (const std::string& name : names) {
    Image psf = read_image(name);
    options.common.place(psf, image.shape());
    psf = psf_options.at_voxels_of(image.metadata(), std::move(psf));
    if (const auto text = psf_options.size_warning(image.metadata(), psf)) warn(record, name + ": " + *text);
    psfs.push_back(std::move(psf));
  }
  psf_options.crop(psfs, options.common.choices.origin);
  return joined("PSF", psfs, names);
}

/// A PSF for each channel, or without channels for each time point.
void require_images_for(Index num_psfs, Index num_images, const ImageMetadata& image) {
  const Index channels = image.num_channels.value_or(1);
  const Index wanted = channels > 1 ? channels : num_images;
  if (num_psfs == 1 || num_psfs == wanted) return;
  throw CLI::ValidationError(
      "PSF", fmt::format("{} PSFs are named, but the image has {} {}; name one PSF for all, or one for each", num_psfs,
                         wanted, channels > 1 ? "channels" : "time points"));
}

void DeconvolveCommand::deconvolve(const std::vector<Device>& on, DeconvolveRecord& record) {
  StopWatch watch;
  const auto images = files.open(image_path);
  const InputGuard guard(image_path, files.resume);
  const ImageFileReader& first = *images.front();
  for (const std::string& text : first.metadata().warnings) warn(record, image_path + ": " + text);
  std::vector<std::unique_ptr<ImageFileReader>> masks;
  if (!mask_path.empty()) masks = open_images(mask_path);
  ImageList psfs = read_psfs(first, record);
  record.psf_element = psfs.element;
  record.times.read_seconds = watch.lap_seconds();
  stop_if_interrupted();
  require_images_for(psfs.count, static_cast<Index>(images.size()), first.metadata());
  const DeconvolutionSpec spec = spec_for(first, psfs);
  const bool in_double = spec.precision == Precision::f64;
  record.image_element = first.element();
  record.num_images = static_cast<Index>(images.size());
  record.output_element = element.value_or(in_double ? Element::f64 : Element::f32);
  if (files.resume) set_interrupt_text(kInterruptedButKept);
  const auto output = create_image(output_path, output_shape(spec), record.output_element, first.metadata(),
                                   files.create_options(job(spec, psfs)));
  record.ram_limit_bytes = files.ram_limit_bytes;
  record.host_bytes_beside_plan = files.host_bytes_beside_plan(on, first.cache_bytes() + output->cache_bytes());
  for (const auto& mask : masks) {  // beside its image
    record.host_bytes_beside_plan +=
        static_cast<std::uint64_t>(num_voxels(mask->shape())) * size_of(mask->element()) / masks.size();
  }
  ProgressBar bar(verbosity, {record.num_images * num_voxels(output_shape(spec)), 0});
  Deconvolver deconvolver(spec, psfs.view(), on, deconvolver_options(bar, first, output->image(), record));
  record.plan = deconvolver.plan();
  warn_of_psfs(psfs, deconvolver, record);
  warn_of_tiles(record);
  psfs = {};
  record.times.prepare_seconds += watch.lap_seconds();
  stop_if_interrupted();
  ImageWriters writers;
  for (Index number = 0; number < record.num_images; ++number) writers.push_back(&output->image(number));
  record.run = deconvolver.run(readers_of(images), writers, readers_of(masks));
  record.times.run_seconds = watch.lap_seconds();
  stop_if_interrupted();
  guard.require_unchanged();
  output->commit();
  record.times.write_seconds = watch.lap_seconds();
}

/// Fast tiles that were not asked for deserve a warning.
void DeconvolveCommand::warn_of_tiles(DeconvolveRecord& record) const {
  if (!record.plan.fast || options.choices.tiles == Tiles::fast || record.plan.spec.region) return;
  warn(record, fmt::format("{}; what differs at their seams is measured and told. A higher --ram-limit restores the "
                           "image as a whole",
                           record.plan.reasons.front()));
}

/// What a camera adds to every voxel would be taken for light, and sharpened to speckles.
void DeconvolveCommand::warn_of_offset(DeconvolveRecord& record) const {
  constexpr double kVisible = 0.25;
  const DeconvolutionReport& run = record.run;
  const DeconvolutionSpec& spec = record.plan.spec;
  if (spec.compatibility != Compatibility::none || spec.estimate_background || spec.background > 0) return;
  const auto voxels = static_cast<double>(record.num_images * num_voxels(spec.image) - run.missing_voxels);
  const double mean = voxels > 0 ? run.input_sum / voxels : 0;
  if (!(mean > 0) || run.dim_level < kVisible * mean) return;
  warn(record,
       fmt::format("even dim voxels of the image are at {:.4g}, {:.0f} % of its mean: if that is a camera's offset "
                   "or background, it is now taken for light; give it (--background {:.3g}) or have it "
                   "estimated (--background auto)",
                   run.dim_level, 100 * run.dim_level / mean, run.dim_level));
}

void DeconvolveCommand::warn_of_voxels(DeconvolveRecord& record) const {
  const DeconvolutionReport& run = record.run;
  constexpr double kRoundingErrors = 1e-5;  // those of a convolution leave less
  if (run.negative_voxels > 0 && run.negative_sum < -kRoundingErrors * run.input_sum) {
    warn(record, fmt::format("{} negative image voxels are taken as 0", run.negative_voxels));
  }
  warn_of_offset(record);
  if (run.non_finite_voxels > 0) {
    warn(record, fmt::format("{} NaN or infinite image voxels are taken as missing", run.non_finite_voxels));
  }
  if (run.saturated_voxels > 0) {
    const bool is_f32 = record.output_element == Element::f32;
    warn(record, fmt::format("{} output voxels are clipped to the range of {}; --dtype {} keeps them",
                             run.saturated_voxels, name(record.output_element), is_f32 ? "f64" : "f32"));
  }
}

void DeconvolveCommand::write_picture(const DeconvolveRecord& record) const {
  constexpr Index kLargestExtent = 1024;
  OpenOptions written;
  if (output_path.ends_with(".raw")) written.raw = RawLayout{record.plan.spec.image, name(record.output_element)};
  std::vector<double> divergences;
  for (const IterationSums& sums : record.run.curve) divergences.push_back(sums.divergence);
  write_run_picture(picture_path, projections_of(image_path, files.open_options(), kLargestExtent),
                    projections_of(output_path, written, kLargestExtent), divergences);
}

void DeconvolveCommand::summarize(const DeconvolveRecord& record) const {
  if (verbosity.quiet) return;
  const DeconvolutionPlan& plan = record.plan;
  const bool wiener = plan.spec.algorithm == Algorithm::wiener;
  std::string what = wiener ? "Wiener's filter" : fmt::format("{} iterations", record.run.iterations);
  if (record.run.iterations == 1) what = "1 iteration";
  if (record.run.stop_reason != StopReason::iterations) what += ", ended by --stop";
  if (plan.spec.estimate_background) what += fmt::format(", background {:.4g}", record.run.background);
  if (plan.is_tiled()) {
    what += fmt::format(", {} and {} tiles each", plan.convolution.num_pieces(), plan.adjoint->num_pieces());
  }
  if (plan.fast) {
    what += fmt::format(", {} fast tiles, seam error {:.2g}", plan.fast->num_tiles(), record.run.seam.relative_l2);
  }
  if (record.run.skipped_tiles > 0) {
    what += fmt::format(" ({} {} there already)", record.run.skipped_tiles, plan.fast ? "tiles were" : "images were");
  }
  const std::string several = record.num_images > 1 ? fmt::format("{} x ", record.num_images) : "";
  print_summary("{}: {}, {:.3f} s, {}{} {} zyx -> {}\n", devices_text(record.devices), what,
                record.times.prepare_seconds + record.times.run_seconds, several, name(record.output_element),
                to_text(output_shape(plan.spec)), output_path);
}

void DeconvolveCommand::run() {
  require_paths();
  StopWatch watch;
  const std::vector<Device> on = devices.open(options.common.backend);  // before large files are read
  DeconvolveRecord record;
  record.image_path = image_path;
  record.psf_path = psf_path;
  record.mask_path = mask_path;
  record.output_path = output_path;
  for (const Device& device : on) record.devices.push_back(device.info());
  record.times.prepare_seconds = watch.lap_seconds();
  if (const std::string text = files.warning_of_unfinished(output_path); !text.empty()) warn(record, text);
  stop_if_interrupted();

  deconvolve(on, record);
  record.peak_host_bytes = peak_host_bytes();
  for (const std::string& text : device_warnings(record.run.devices)) warn(record, text);
  warn_of_voxels(record);
  if (!report_path.empty()) write_text(report_path, to_json(record));
  if (!picture_path.empty()) write_picture(record);
  summarize(record);
}

}  // namespace

void add_deconvolve(CLI::App& program) {
  CLI::App* command = program.add_subcommand("deconvolve", "Restore an image that a known kernel (PSF) has blurred");
  const auto state = std::make_shared<DeconvolveCommand>();
  command->add_option("IMAGE", state->image_path, "Image to read: .tif, .npy or .zarr")->required();
  command
      ->add_option("PSF", state->psf_path,
                   "PSF to read: .tif, .npy or .zarr; with commas between, one of the same shape for each channel")
      ->required();
  command->add_option("OUTPUT", state->output_path, "Image to write: .tif, .npy, .raw or .zarr")->required();
  state->options.add_to(*command);
  state->psf_options.add_to(*command);
  state->devices.add_to(*command);
  state->files.add_to(*command);
  command
      ->add_option("--mask", state->mask_path,
                   "Image of the same size: where it is 0, voxels are missing and restored from their neighbours")
      ->type_name("FILE");
  add_choice(
      *command, "--dtype", state->element, all_elements<std::optional<Element>>(),
      [](std::optional<Element> value) { return name(*value); },
      "Voxels of the output; integers are rounded to nearest, halves to even, and clipped; "
      "f16 is infinite from 65520 on (default f32, or f64 with --precision f64)");
  command->add_flag("--trace-memory", state->trace_memory, "Print the device memory in use after every step");
  state->verbosity.add_to(*command);
  command
      ->add_option("--report", state->report_path,
                   "Write what was done, with plan, timings and the course of the iterations, as JSON")
      ->type_name("FILE.json");
  command
      ->add_option("--picture", state->picture_path,
                   "Draw the first image before and after, and below them the I-divergence after each iteration")
      ->type_name("FILE.png")
      ->check(ends_in(".png"));
  command->footer(
      "Richardson-Lucy: e <- e / H'1 * H'(image / (H e + background)), H the blur, H' its exact adjoint.\n"
      "What does not fit the device goes through it in tiles, with the same result unless --tiles fast is chosen.\n"
      "Examples:\n"
      "  convoy deconvolve blurred.tif psf.tif restored.tif\n"
      "  convoy deconvolve blurred.tif psf.tif restored.tif --iterations 200 --stop relative:1e-3 --background 100\n"
      "  convoy deconvolve blurred.tif psf.tif restored.tif --acceleration biggs --tv 0.01\n"
      "  convoy deconvolve channels.tif psf405.tif,psf561.tif restored.tif\n"
      "  convoy deconvolve movie.zarr psf.tif restored.zarr --devices cuda:0,cuda:1 --resume\n"
      "  convoy deconvolve huge.zarr psf.tif part.zarr --region 0:64,512:1024,512:1024\n"
      "  convoy deconvolve blurred.tif psf.tif restored.tif --saturation 65535 --mask good.tif --report run.json");
  command->callback([command, state] {
    state->options.require_consistent(*command);
    state->run();
  });
}

}  // namespace convoy::cli
