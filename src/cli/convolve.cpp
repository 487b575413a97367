#include "cli/convolve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/convolution_options.hpp"
#include "cli/device_options.hpp"
#include "cli/file_options.hpp"
#include "cli/image_list.hpp"
#include "cli/interrupt.hpp"
#include "cli/kernel_check.hpp"
#include "cli/memory_trace.hpp"
#include "cli/print.hpp"
#include "cli/process_memory.hpp"
#include "cli/progress_bar.hpp"
#include "cli/report.hpp"
#include "cli/stop_watch.hpp"
#include "cli/voxel_warnings.hpp"
#include "convoy/convolution.hpp"
#include "convoy/io.hpp"

namespace convoy::cli {
namespace {

struct ConvolveCommand {
  explicit ConvolveCommand(RankContext& where) : workplace(where) {}

  RankContext& workplace;
  std::string image_path;
  std::string kernel_path;   ///< or several
  std::string weights_path;  ///< likewise
  std::string output_path;
  std::string report_path;
  ConvolutionOptions options;
  DeviceOptions devices;
  FileOptions files;
  std::optional<Element> element;
  bool trace_memory = false;
  Verbosity verbosity;

  void require_paths() const;
  void run();
  std::optional<ImageList> read_weights() const;
  void convolve(const std::vector<Device>& on, ConvolveRecord& record);
  JobDescription job(const std::vector<Device>& on, const ConvolutionSpec& spec, const ImageList& kernels,
                     const std::optional<ImageList>& weights) const;
  ConvolverOptions convolver_options(ProgressBar& bar, const ImageReader& reader, const ImageWriter& writer,
                                     std::uint64_t host_bytes_beside_plan) const;
  Element output_element(const ConvolveRecord& record) const;
  void warn(ConvolveRecord& record, const std::string& text) const;
  void warn_of_kernel(ConvolveRecord& record, const ConvolutionSpec& spec, const ImageList& kernels) const;
  void warn_of_origin(ConvolveRecord& record, const ConvolutionSpec& spec) const;
  void warn_of_voxels(ConvolveRecord& record) const;
  void warn_of_devices(ConvolveRecord& record) const;
  void summarize(const ConvolveRecord& record) const;
};

void ConvolveCommand::require_paths() const {
  std::vector<std::string> inputs = names_of(kernel_path);
  inputs.push_back(image_path);
  if (!weights_path.empty()) {
    for (const std::string& name : names_of(weights_path)) inputs.push_back(name);
  }
  for (const std::string& input : inputs) {
    require_different_files(output_path, input);
    if (!report_path.empty()) require_different_files(report_path, input);
  }
  if (!report_path.empty()) require_different_files(report_path, output_path);
  if (!workplace.is_root()) return;
  require_writable_image(output_path, files.create_options({}));
  if (!report_path.empty()) require_writable(report_path);
}

Element ConvolveCommand::output_element(const ConvolveRecord& record) const {
  const Element real = options.choices.precision == Precision::f64 ? Element::f64 : Element::f32;
  const bool complex = is_complex(record.image_element) || is_complex(record.kernel_element);
  return element.value_or(complex ? complex_of(real) : real);
}

void ConvolveCommand::warn(ConvolveRecord& record, const std::string& text) const {
  if (!workplace.is_root()) return;
  print_warning(text);
  record.warnings.push_back(text);
}

ConvolverOptions ConvolveCommand::convolver_options(ProgressBar& bar, const ImageReader& reader,
                                                    const ImageWriter& writer,
                                                    std::uint64_t host_bytes_beside_plan) const {
  ConvolverOptions convolver;
  convolver.sums = true;
  convolver.plan = options.plan_options();
  convolver.plan.host_memory_limit_bytes = files.host_memory_limit_bytes(host_bytes_beside_plan, options.deterministic);
  convolver.plan.streaming = Streaming{reader.element(), writer.element(), reader.chunk(), writer.chunk()};
  convolver.plan.streaming->record_bytes = files.record_bytes();
  convolver.stop = interrupt_token();
  convolver.progress = [&bar](const Progress& progress) {
    bar.show(progress);
    return !interrupted();
  };
  if (trace_memory) {
    convolver.trace_memory = [&bar](const std::string& step, std::uint64_t used_bytes) {
      bar.clear();
      print_used_memory(step, used_bytes);
    };
  }
  return convolver;
}

/// All that the output depends on, for --resume.
JobDescription ConvolveCommand::job(const std::vector<Device>& on, const ConvolutionSpec& spec,
                                    const ImageList& kernels, const std::optional<ImageList>& weights) const {
  if (!files.resume) return {};
  const Shape& at = spec.origin.index;
  const bool origin_given = spec.origin.rule == Origin::Rule::at;
  JobDescription job = describe_image(image_path, files);
  const JobDescription rest{
      {"kernel", fmt::format("of checksum {}", checksum(kernels.view().as_one()))},
      {"mode", name(spec.mode)},
      {"boundary", fmt::format("{} {}", name(spec.boundary), spec.constant)},
      {"origin", origin_given ? fmt::format("{},{},{}", at.z, at.y, at.x) : name(spec.origin.rule)},
      {"operation", name(spec.operation)},
      {"precision", name(spec.precision)},
      {"normalization", spec.normalize_kernel ? "on" : "off"},
      {"region", spec.region ? to_text(*spec.region) : "all"},
      {"NaN", fmt::format("{}{}", name(spec.non_finite), spec.preserve_nan ? ", preserved" : "")},
      {"no data", spec.no_data ? fmt::format("{}", *spec.no_data) : "none"}};
  job.insert(job.end(), rest.begin(), rest.end());
  if (spec.num_kernels > 1 || weights) {
    job.emplace_back("pairing", fmt::format("{}, {} kernels", name(spec.pairing), spec.num_kernels));
  }
  if (weights) job.emplace_back("weights", fmt::format("of checksum {}", checksum(weights->view().as_one())));
  if (options.deterministic) {
    job.emplace_back("bits",
                     fmt::format("the same on every run, on {} ({}) with --memory-limit {} --ram-limit {} --tune {}",
                                 on.front().info().name, on.front().info().driver, options.memory_limit_bytes,
                                 files.ram_limit_bytes, name(options.tune)));
  } else {
    job.emplace_back("bits", "as they come");
  }
  return job;
}

void ConvolveCommand::warn_of_origin(ConvolveRecord& record, const ConvolutionSpec& spec) const {
  const bool named = spec.operation == Operation::correlate && spec.origin.rule == Origin::Rule::scipy;
  const Shape& k = spec.kernel;
  if (!named || (k.z % 2 == 1 && k.y % 2 == 1 && k.x % 2 == 1)) return;
  warn(record,
       fmt::format("--correlate --origin scipy is the adjoint of scipy.signal.convolve; for this even kernel ({} "
                   "zyx) scipy.signal.correlate's 'same' lies one voxel beside it: that is --flip --origin scipy",
                   to_text(k)));
}

void ConvolveCommand::warn_of_kernel(ConvolveRecord& record, const ConvolutionSpec& spec,
                                     const ImageList& kernels) const {
  const bool has_origin = spec.mode == Mode::same || spec.mode == Mode::circular;
  if (!has_origin || spec.origin.rule == Origin::Rule::peak || is_complex(kernels.element)) return;
  const std::vector<std::string> names = names_of(kernel_path);
  for (Index i = 0; i < kernels.count; ++i) {
    const std::string which = kernels.count > 1 ? names[static_cast<std::size_t>(i)] + ": " : "";
    for (const std::string& text : kernel_warnings(kernels.view().image(i), record.plan.spec.origin.index)) {
      warn(record, which + text);
    }
  }
}

void ConvolveCommand::warn_of_voxels(ConvolveRecord& record) const {
  for (const std::string& text :
       voxel_warnings(record.run, options.choices.precision, options.choices.non_finite, record.output_element)) {
    warn(record, text);
  }
}

void ConvolveCommand::warn_of_devices(ConvolveRecord& record) const {
  for (const std::string& text : device_warnings(record.run.devices)) warn(record, text);
}

/// Read and written.
Index bytes_per_run(const ConvolveRecord& record, const ConvolutionSpec& spec) {
  const Shape output = output_shape(spec);
  Index read = static_cast<Index>(size_of(record.image_element));
  for (int axis = 0; axis < 3; ++axis) read *= std::min(spec.image[axis], output[axis] + spec.kernel[axis] - 1);
  return num_images(spec) * read +
         num_outputs(spec) * num_voxels(output) * static_cast<Index>(size_of(record.output_element));
}

std::optional<ImageList> ConvolveCommand::read_weights() const {
  if (weights_path.empty()) return {};
  const std::vector<std::string> names = names_of(weights_path);
  std::vector<Image> weights;
  for (const std::string& name : names) weights.push_back(read_image(name));
  return joined("--weights", weights, names);
}

/// Images that kernels make of so many.
Index num_written(Index num_read, const ConvolutionSpec& spec) {
  return num_read / num_images(spec) * num_outputs(spec);
}

/// Of the output: kernels may make several channels of one, or one of several. `images`: that the file has.
ImageMetadata output_metadata(const ImageMetadata& input, Index images, const ConvolutionSpec& spec) {
  const Index in = num_images(spec);
  const Index out = num_outputs(spec);
  const Index channels = input.num_channels.value_or(1);
  const bool is_each = spec.pairing == Pairing::each;
  if (images % in != 0 || channels % in != 0 || (is_each && channels != in)) {
    throw CLI::ValidationError(
        "--pairing",
        fmt::format("{} of {} kernels takes {}{} channels at a time, but the image has {}", name(spec.pairing),
                    spec.num_kernels, in, is_each ? "" : " or several times as many", channels));
  }
  ImageMetadata output = input;
  if (in == out) return output;
  output.num_channels = channels / in * out;
  output.channel_names.clear();
  output.plane_labels.clear();
  if (!input.num_channels) output.axes.clear();
  return output;
}

void ConvolveCommand::convolve(const std::vector<Device>& on, ConvolveRecord& record) {
  StopWatch watch;
  const auto images = files.open(image_path);
  const InputGuard guard(image_path, files.resume);
  const ImageFileReader& first = *images[0];
  for (const std::string& text : first.metadata().warnings) warn(record, image_path + ": " + text);
  ImageList kernels = options.read_kernels(kernel_path, first.shape());
  std::optional<ImageList> weights = read_weights();
  record.kernel_element = kernels.element;
  record.times.read_seconds = watch.lap_seconds();
  options.choices.num_kernels = kernels.count;
  const ConvolutionSpec whole = options.spec(first.shape(), kernels.shape);
  record.image_element = first.element();
  record.num_images = static_cast<Index>(images.size());
  record.output_shape = output_shape(whole);
  record.output_element = output_element(record);
  if (files.resume) set_interrupt_text(kInterruptedButKept);
  const std::optional<ConvolutionSpec> part = workplace.own_part(whole);
  const auto num_files = static_cast<Index>(images.size());
  const auto output = workplace.create(output_path, output_shape(whole), record.output_element,
                                       output_metadata(first.metadata(), num_files, whole),
                                       files.create_options(job(on, whole, kernels, weights)));
  if (part) {
    const Workload workload{num_written(record.num_images, whole) * num_voxels(output_shape(*part)),
                            record.num_images / num_images(whole) * bytes_per_run(record, *part)};
    ProgressBar bar(verbosity, workload);
    record.ram_limit_bytes = files.ram_limit_bytes;
    record.host_bytes_beside_plan = files.host_bytes_beside_plan(on, first.cache_bytes() + output->cache_bytes());
    ConvolverOptions with = convolver_options(bar, first, output->image(), record.host_bytes_beside_plan);
    with.plan.streaming->num_groups = record.num_images / num_images(whole);
    workplace.limit(with.plan, on);
    if (weights) with.weights = weights->view();
    Convolver convolver(*part, kernels.view(), on, with);
    record.plan = convolver.plan();
    warn_of_kernel(record, whole, kernels);
    warn_of_origin(record, whole);
    kernels = {};
    weights.reset();
    record.times.prepare_seconds += watch.lap_seconds();
    stop_if_interrupted();
    ImageReaders readers;
    ImageWriters writers;
    for (const auto& image : images) readers.push_back(image.get());
    for (Index number = 0; number < num_written(record.num_images, whole); ++number) {
      writers.push_back(&output->image(number));
    }
    record.run = convolver.run(readers, writers);
  }
  record.times.run_seconds = watch.lap_seconds();
  stop_if_interrupted();
  guard.require_unchanged();
  output->commit();
  record.times.write_seconds = watch.lap_seconds();
}

void ConvolveCommand::summarize(const ConvolveRecord& record) const {
  if (verbosity.quiet) return;
  const Index num_tiles = record.run.num_tiles;
  const Index outputs = num_written(record.num_images, record.plan.spec);
  const std::string several = outputs > 1 ? fmt::format("{} x ", outputs) : "";
  const std::string skipped =
      record.run.skipped_tiles > 0 ? fmt::format(" ({} were there already)", record.run.skipped_tiles) : "";
  const std::string limit =
      record.ram_limit_bytes > 0 ? fmt::format(", limit {}", bytes_to_text(record.ram_limit_bytes)) : "";
  const std::string pieces = record.plan.split ? fmt::format("{} convolutions of parts", num_tiles)
                                               : fmt::format("{} tile{}", num_tiles, num_tiles == 1 ? "" : "s");
  const Index num_kernels = record.plan.spec.num_kernels;
  // Sums of PSFs are 1 but for rounding.
  const bool is_scaled = num_kernels == 1 && std::abs(record.run.kernel_factor - 1) > 1e-6;
  const std::string scale = record.plan.spec.normalize_kernel && is_scaled
                                ? fmt::format(", kernel divided by its sum {:g}", 1 / record.run.kernel_factor)
                                : "";
  print_summary("{}: {}{}, {:.3f} s{}, {}{} {} zyx -> {}\n", devices_text(record.devices), pieces, skipped,
                record.times.prepare_seconds + record.times.run_seconds, scale, several, name(record.output_element),
                to_text(record.output_shape), output_path);
  print_summary("host memory: peak {}, planned {}{}\n", bytes_to_text(record.peak_host_bytes),
                bytes_to_text(record.planned_host_bytes()), limit);
}

void ConvolveCommand::run() {
  require_paths();
  StopWatch watch;
  const std::vector<Device> on = workplace.own_devices(devices.open(options.backend));  // before large files are read
  ConvolveRecord record;
  record.image_path = image_path;
  record.kernel_path = kernel_path;
  record.output_path = output_path;
  for (const Device& device : on) record.devices.push_back(device.info());
  record.num_own_devices = on.size();
  record.times.prepare_seconds = watch.lap_seconds();
  if (workplace.is_root()) {
    if (const std::string text = files.warning_of_unfinished(output_path); !text.empty()) warn(record, text);
  }
  stop_if_interrupted();

  convolve(on, record);
  record.peak_host_bytes = peak_host_bytes();
  workplace.share(record);
  if (!workplace.is_root()) return;
  warn_of_devices(record);
  warn_of_voxels(record);
  if (!report_path.empty()) write_text(report_path, to_json(record));
  summarize(record);
}

}  // namespace

void make_convolve_command(CLI::App& command, RankContext& workplace) {
  const auto state = std::make_shared<ConvolveCommand>(workplace);
  command.add_option("IMAGE", state->image_path, "Image to read: .tif, .npy, .raw or .zarr")->required();
  command
      .add_option("KERNEL", state->kernel_path,
                  "Kernel to read: .tif, .npy or .zarr; several of one shape with commas between, which --pairing "
                  "says how to use")
      ->required();
  command.add_option("OUTPUT", state->output_path, "Image to write: .tif, .npy, .raw or .zarr")->required();
  state->options.add_to(command);
  state->options.add_pairing_to(command);
  command
      .add_option("--weights", state->weights_path,
                  "Weight images for --pairing sum, one for each kernel, of the image's shape (with --correlate of the "
                  "output's), with commas between")
      ->type_name("FILE,FILE,...");
  state->devices.add_to(command);
  state->files.add_to(command);
  add_choice(
      command, "--dtype", state->element, all_elements<std::optional<Element>>(true),
      [](std::optional<Element> value) { return name(*value); },
      "Voxels of the output; integers are rounded to nearest, halves to even, and clipped; "
      "f16 is infinite from 65520 on (default f32, or f64 with --precision f64; c64 or c128 if image or kernel are "
      "complex)");
  command.add_flag("--trace-memory", state->trace_memory, "Print the device memory in use after every step");
  state->verbosity.add_to(command);
  command.add_option("--report", state->report_path, "Write what was done, with plan and timings, as JSON")
      ->type_name("FILE.json");
  command.callback([&command, state] {
    const bool chosen = command.count("--devices") + command.count("--backend") > 0;
    if (!chosen) state->devices.devices = state->workplace.usual_devices();
    state->options.require_consistent(command);
    state->run();
  });
}

void add_convolve(CLI::App& program) {
  static RankContext alone;
  CLI::App* command = program.add_subcommand("convolve", "Convolve an image with a kernel (PSF)");
  make_convolve_command(*command, alone);
  command->footer(
      "Examples:\n"
      "  convoy convolve image.tif psf.tif blurred.tif\n"
      "  convoy convolve image.tif psf.tif blurred.tif --boundary reflect --backend vulkan\n"
      "  convoy convolve big.tif psf.tif blurred.tif --memory-limit 2GiB --report run.json\n"
      "  convoy convolve big.tif psf.tif blurred.tif --devices cuda:0,cuda:1\n"
      "  convoy convolve huge.zarr psf.tif blurred.zarr --ram-limit 8GiB --resume\n"
      "  convoy convolve channels.tif psf405.tif,psf561.tif blurred.tif --pairing each\n"
      "  convoy convolve image.tif left.tif,right.tif blurred.tif --pairing sum --weights wl.tif,wr.tif\n"
      "  convoy convolve image.npy kernel.npy full.npy --mode full --no-normalize --precision f64");
}

}  // namespace convoy::cli
