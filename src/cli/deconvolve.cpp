#include "cli/deconvolve.hpp"

#include <fmt/format.h>

#include <memory>
#include <optional>

#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/deconvolution_job.hpp"
#include "cli/deconvolution_options.hpp"
#include "cli/deconvolution_report.hpp"
#include "cli/deconvolution_warnings.hpp"
#include "cli/device_options.hpp"
#include "cli/file_options.hpp"
#include "cli/image_list.hpp"
#include "cli/interrupt.hpp"
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
  explicit DeconvolveCommand(RankContext& where) : workplace(where) {}

  RankContext& workplace;
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
  bool exact_tiles_asked = false;
  bool trace_memory = false;
  Verbosity verbosity;

  void require_paths() const;
  void run();
  void deconvolve(const std::vector<Device>& on, DeconvolveRecord& record);
  JobDescription job(const DeconvolutionSpec& spec, const ImageList& psfs) const;
  PlanOptions plan_options(const ImageReader& reader, const DeconvolveRecord& record) const;
  DeconvolverOptions deconvolver_options(ProgressBar& bar, PlanOptions plan) const;
  std::optional<DeconvolutionShare> own_share(const DeconvolutionSpec& whole, const ImageFileReader& first,
                                              const std::vector<Device>& on, const DeconvolveRecord& record) const;
  void warn(DeconvolveRecord& record, const std::string& text) const;
  void warn_of_psfs(const ImageView& psfs, Index first_psf, const Deconvolver& deconvolver,
                    DeconvolveRecord& record) const;
  void warn_of_tiles(DeconvolveRecord& record) const;
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
  }
  if (!workplace.is_root()) return;
  if (!picture_path.empty()) require_writable(picture_path);
  require_writable_image(output_path, files.create_options({}));
  if (!report_path.empty()) require_writable(report_path);
}

void DeconvolveCommand::warn(DeconvolveRecord& record, const std::string& text) const {
  if (!workplace.is_root()) return;
  print_warning(text);
  record.warnings.push_back(text);
}

void DeconvolveCommand::warn_of_psfs(const ImageView& psfs, Index first_psf, const Deconvolver& deconvolver,
                                     DeconvolveRecord& record) const {
  const std::vector<std::string> names = names_of(psf_path);
  const bool is_peak = options.common.choices.origin.rule == Origin::Rule::peak;
  for (Index i = 0; i < psfs.batch; ++i) {
    const std::string which = names.size() > 1 ? names[static_cast<std::size_t>(first_psf + i)] + ": " : "";
    record.psfs.push_back(deconvolver.psf(i));
    for (const std::string& text : psf_warnings(psfs.image(i), record.psfs.back(), record.plan.spec, is_peak)) {
      warn(record, which + text);
    }
  }
}

JobDescription DeconvolveCommand::job(const DeconvolutionSpec& spec, const ImageList& psfs) const {
  if (!files.resume) return {};
  JobDescription job = describe_image(image_path, files);
  const JobDescription rest = describe_deconvolution(spec, options.core, psfs.view(), mask_path);
  job.insert(job.end(), rest.begin(), rest.end());
  return job;
}

PlanOptions DeconvolveCommand::plan_options(const ImageReader& reader, const DeconvolveRecord& record) const {
  PlanOptions plan = options.plan_options();
  plan.host_memory_limit_bytes =
      files.host_memory_limit_bytes(record.host_bytes_beside_plan, options.common.deterministic);
  plan.streaming = Streaming{reader.element(), record.output_element, reader.chunk(), reader.chunk()};
  plan.streaming->num_groups = record.num_images;
  plan.streaming->record_bytes = files.record_bytes();
  return plan;
}

DeconvolverOptions DeconvolveCommand::deconvolver_options(ProgressBar& bar, PlanOptions plan) const {
  DeconvolverOptions deconvolver;
  deconvolver.plan = std::move(plan);
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

/// A PSF for each channel, or without channels for each time point.
void require_images_for(Index num_psfs, Index num_images, const ImageMetadata& image) {
  const Index channels = image.num_channels.value_or(1);
  const Index wanted = channels > 1 ? channels : num_images;
  if (num_psfs == 1 || num_psfs == wanted) return;
  throw CLI::ValidationError(
      "PSF", fmt::format("{} PSFs are named, but the image has {} {}; name one PSF for all, or one for each", num_psfs,
                         wanted, channels > 1 ? "channels" : "time points"));
}

/// Several ranks share one image in fast tiles, unless the user has forbidden that.
std::optional<DeconvolutionShare> DeconvolveCommand::own_share(const DeconvolutionSpec& whole,
                                                               const ImageFileReader& first,
                                                               const std::vector<Device>& on,
                                                               const DeconvolveRecord& record) const {
  const auto with = [&] {
    DeconvolveRecord as_yet = record;
    as_yet.host_bytes_beside_plan = files.host_bytes_beside_plan(on, 2 * first.cache_bytes());
    return plan_options(first, as_yet);
  };
  auto share = workplace.own_share(whole, record.num_images, with, on);
  if (share && share->core && exact_tiles_asked) {
    throw CLI::ValidationError(
        "--tiles", "several ranks share one image in fast tiles; leave --tiles exact out, or start one rank");
  }
  return share;
}

/// Of all that the file has, those that this process restores.
template <class List>
List chosen(const List& all, const std::vector<Index>& numbers) {
  List some;
  for (const Index number : numbers) some.push_back(all[static_cast<std::size_t>(number)]);
  return some;
}

/// None, one for all images, or one for each.
ImageReaders masks_of(const std::vector<std::unique_ptr<ImageFileReader>>& masks, const std::vector<Index>& images,
                      Index num_images) {
  const ImageReaders all = readers_of(masks);
  return static_cast<Index>(all.size()) == num_images ? chosen(all, images) : all;
}

void DeconvolveCommand::deconvolve(const std::vector<Device>& on, DeconvolveRecord& record) {
  StopWatch watch;
  const auto images = files.open(image_path);
  const InputGuard guard(image_path, files.resume);
  const ImageFileReader& first = *images.front();
  for (const std::string& text : first.metadata().warnings) warn(record, image_path + ": " + text);
  std::vector<std::unique_ptr<ImageFileReader>> masks;
  if (!mask_path.empty()) masks = open_images(mask_path);
  ImageList psfs =
      psf_options.read(psf_path, first, options.common, [&](const std::string& text) { warn(record, text); });
  record.psf_element = psfs.element;
  record.times.read_seconds = watch.lap_seconds();
  stop_if_interrupted();
  require_images_for(psfs.count, static_cast<Index>(images.size()), first.metadata());
  const DeconvolutionSpec whole = options.spec_for(first, psfs);
  record.image_element = first.element();
  record.num_images = static_cast<Index>(images.size());
  record.output_shape = output_shape(whole);
  record.output_element = options.output_element(element);
  if (files.resume) set_interrupt_text(kInterruptedButKept);
  record.ram_limit_bytes = files.ram_limit_bytes;
  const auto share = own_share(whole, first, on, record);
  const auto output = workplace.create(output_path, record.output_shape, record.output_element, first.metadata(),
                                       files.create_options(job(whole, psfs)));
  if (share) {
    record.host_bytes_beside_plan =
        files.host_bytes_beside_plan(on, first.cache_bytes() + output->cache_bytes()) + files.bytes_beside(masks);
    ProgressBar bar(verbosity, {static_cast<Index>(share->images.size()) * num_voxels(output_shape(share->spec)), 0});
    PlanOptions plan = plan_options(first, record);
    plan.streaming->write_chunk = output->image().chunk();
    plan.streaming->num_groups = static_cast<Index>(share->images.size());
    if (share->core) plan.tile_output = share->core;
    workplace.limit(plan, on);
    const ImageView own_psfs = psfs.view(share->first_psf, share->spec.num_psfs);
    Deconvolver deconvolver(share->spec, own_psfs, on, deconvolver_options(bar, plan));
    record.plan = deconvolver.plan();
    warn_of_psfs(own_psfs, share->first_psf, deconvolver, record);
    if (!share->core) warn_of_tiles(record);
    psfs = {};
    record.times.prepare_seconds += watch.lap_seconds();
    stop_if_interrupted();
    ImageWriters writers;
    for (const Index number : share->images) writers.push_back(&output->image(number));
    record.run = deconvolver.run(chosen(readers_of(images), share->images), writers,
                                 masks_of(masks, share->images, record.num_images));
  }
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

void DeconvolveCommand::write_picture(const DeconvolveRecord& record) const {
  constexpr Index kLargestExtent = 1024;
  OpenOptions written;
  if (output_path.ends_with(".raw")) written.raw = RawLayout{record.output_shape, name(record.output_element)};
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
  if (record.ranks.size() > 1) {
    what += fmt::format("{}, {} ranks", plan.fast ? " on rank 0" : "", record.ranks.size());
  }
  if (record.run.skipped_tiles > 0) {
    what += fmt::format(" ({} {} there already)", record.run.skipped_tiles, plan.fast ? "tiles were" : "images were");
  }
  const std::string several = record.num_images > 1 ? fmt::format("{} x ", record.num_images) : "";
  print_summary("{}: {}, {:.3f} s, {}{} {} zyx -> {}\n", devices_text(record.devices), what,
                record.times.prepare_seconds + record.times.run_seconds, several, name(record.output_element),
                to_text(record.output_shape), output_path);
}

void DeconvolveCommand::run() {
  require_paths();
  StopWatch watch;
  const std::vector<Device> on =
      workplace.own_devices(devices.open(options.common.backend));  // before large files are read
  DeconvolveRecord record;
  record.image_path = image_path;
  record.psf_path = psf_path;
  record.mask_path = mask_path;
  record.output_path = output_path;
  for (const Device& device : on) record.devices.push_back(device.info());
  record.num_own_devices = on.size();
  record.times.prepare_seconds = watch.lap_seconds();
  if (workplace.is_root()) {
    if (const std::string text = files.warning_of_unfinished(output_path); !text.empty()) warn(record, text);
  }
  stop_if_interrupted();

  deconvolve(on, record);
  record.peak_host_bytes = peak_host_bytes();
  workplace.share(record);
  if (!workplace.is_root()) return;
  for (const std::string& text : device_warnings(record.run.devices)) warn(record, text);
  for (const std::string& text : restoration_warnings(record)) warn(record, text);
  if (!report_path.empty()) write_text(report_path, to_json(record));
  if (!picture_path.empty()) write_picture(record);
  summarize(record);
}

}  // namespace

void make_deconvolve_command(CLI::App& command, RankContext& workplace) {
  const auto state = std::make_shared<DeconvolveCommand>(workplace);
  command.add_option("IMAGE", state->image_path, "Image to read: .tif, .npy or .zarr")->required();
  command
      .add_option("PSF", state->psf_path,
                  "PSF to read: .tif, .npy or .zarr; with commas between, one of the same shape for each channel")
      ->required();
  command.add_option("OUTPUT", state->output_path, "Image to write: .tif, .npy, .raw or .zarr")->required();
  state->options.add_to(command);
  state->psf_options.add_to(command);
  state->devices.add_to(command);
  state->files.add_to(command);
  command
      .add_option("--mask", state->mask_path,
                  "Image of the same size: where it is 0, voxels are missing and restored from their neighbours")
      ->type_name("FILE");
  add_choice(
      command, "--dtype", state->element, all_elements<std::optional<Element>>(),
      [](std::optional<Element> value) { return name(*value); },
      "Voxels of the output; integers are rounded to nearest, halves to even, and clipped; "
      "f16 is infinite from 65520 on (default f32, or f64 with --precision f64)");
  command.add_flag("--trace-memory", state->trace_memory, "Print the device memory in use after every step");
  state->verbosity.add_to(command);
  command
      .add_option("--report", state->report_path,
                  "Write what was done, with plan, timings and the course of the iterations, as JSON")
      ->type_name("FILE.json");
  command
      .add_option("--picture", state->picture_path,
                  "Draw the first image before and after, and below them the I-divergence after each iteration")
      ->type_name("FILE.png")
      ->check(ends_in(".png"));
  command.callback([&command, state] {
    const bool chosen = command.count("--devices") + command.count("--backend") > 0;
    if (!chosen) state->devices.devices = state->workplace.usual_devices();
    state->exact_tiles_asked = command.count("--tiles") > 0 && state->options.choices.tiles == Tiles::exact;
    state->options.require_consistent(command);
    state->run();
  });
}

void add_deconvolve(CLI::App& program) {
  static RankContext alone;
  CLI::App* command = program.add_subcommand("deconvolve", "Restore an image that a known kernel (PSF) has blurred");
  make_deconvolve_command(*command, alone);
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
}

}  // namespace convoy::cli
