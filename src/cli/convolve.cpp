#include <fmt/format.h>

#include <memory>
#include <optional>

#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/convolution_options.hpp"
#include "cli/interrupt.hpp"
#include "cli/kernel_check.hpp"
#include "cli/memory_trace.hpp"
#include "cli/progress_bar.hpp"
#include "cli/report.hpp"
#include "cli/stop_watch.hpp"
#include "convoy/convolution.hpp"
#include "convoy/io.hpp"

namespace convoy::cli {
namespace {

struct ConvolveCommand {
  std::string image_path;
  std::string kernel_path;
  std::string output_path;
  std::string report_path;
  ConvolutionOptions options;
  std::optional<Element> element;
  bool trace_memory = false;
  bool quiet = false;

  void require_paths() const;
  void run();
  void convolve(const Device& device, const Image& image, const Image& kernel, Image& output, ConvolveRecord& record);
  ConvolverOptions convolver_options(ProgressBar& bar) const;
  Element output_element() const;
  void warn(ConvolveRecord& record, const std::string& text) const;
  void summarize(const ConvolveRecord& record) const;
};

void ConvolveCommand::require_paths() const {
  for (const std::string& input : {image_path, kernel_path}) {
    require_different_files(output_path, input);
    if (!report_path.empty()) require_different_files(report_path, input);
  }
  if (!report_path.empty()) require_different_files(report_path, output_path);
  require_writable_image(output_path);
  if (!report_path.empty()) require_writable(report_path);
}

Element ConvolveCommand::output_element() const {
  return element.value_or(options.choices.precision == Precision::f64 ? Element::f64 : Element::f32);
}

void ConvolveCommand::warn(ConvolveRecord& record, const std::string& text) const {
  fmt::print(stderr, "convoy: warning: {}\n", text);
  record.warnings.push_back(text);
}

ConvolverOptions ConvolveCommand::convolver_options(ProgressBar& bar) const {
  ConvolverOptions convolver;
  convolver.plan = options.plan_options();
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

void ConvolveCommand::convolve(const Device& device, const Image& image, const Image& kernel, Image& output,
                               ConvolveRecord& record) {
  StopWatch watch;
  const ConvolutionSpec spec = options.spec(image.shape, kernel.shape);
  ProgressBar bar(quiet, num_voxels(output_shape(spec)));
  Convolver convolver(spec, kernel.view(), device, convolver_options(bar));
  record.plan = convolver.plan();
  record.times.prepare_seconds += watch.lap_seconds();
  const bool has_origin = spec.mode == Mode::same || spec.mode == Mode::circular;
  const Shape origin = has_origin ? record.plan.spec.origin.index : Shape{};
  if (has_origin && spec.origin.rule != Origin::Rule::peak) {
    for (const std::string& text : kernel_warnings(kernel.view(), origin)) warn(record, text);
  }
  stop_if_interrupted();

  output = make_image(convolver.output_shape(), output_element());
  record.run = convolver.run(image.view(), output.mutable_view());
  record.times.run_seconds = watch.lap_seconds();
  stop_if_interrupted();
}

void ConvolveCommand::summarize(const ConvolveRecord& record) const {
  if (quiet) return;
  fmt::print("{} ({}): {} tile{}, {:.3f} s, {} {} zyx -> {}\n", record.device.id, record.device.name,
             record.run.num_tiles, record.run.num_tiles == 1 ? "" : "s",
             record.times.prepare_seconds + record.times.run_seconds, name(record.output_element),
             to_text(record.output_shape), output_path);
}

void ConvolveCommand::run() {
  require_paths();
  StopWatch watch;
  const Device device = options.device();  // before large files are read
  ConvolveRecord record;
  record.image_path = image_path;
  record.kernel_path = kernel_path;
  record.output_path = output_path;
  record.device = device.info();
  record.times.prepare_seconds = watch.lap_seconds();
  const Image image = read_image(image_path);
  const Image kernel = read_image(kernel_path);
  record.times.read_seconds = watch.lap_seconds();
  record.image_element = image.element;
  record.kernel_element = kernel.element;
  stop_if_interrupted();

  Image output;
  convolve(device, image, kernel, output, record);
  record.output_shape = output.shape;
  record.output_element = output.element;
  if (record.run.saturated_voxels > 0) {
    warn(record, fmt::format("{} output voxels are clipped to the range of {}; --dtype f32 keeps them",
                             record.run.saturated_voxels, name(output.element)));
  }
  if (record.run.non_finite_voxels > 0) {
    warn(record, fmt::format("{} NaN or infinite image voxels are taken as 0", record.run.non_finite_voxels));
  }

  watch.lap_seconds();
  write_image(output_path, output.view(), image.metadata);
  record.times.write_seconds = watch.lap_seconds();
  if (!report_path.empty()) write_text(report_path, to_json(record));
  summarize(record);
}

}  // namespace

void add_convolve(CLI::App& program) {
  CLI::App* command = program.add_subcommand("convolve", "Convolve an image with a kernel (PSF)");
  const auto state = std::make_shared<ConvolveCommand>();
  command->add_option("IMAGE", state->image_path, "Image to read: .tif, .tiff or .npy")->required();
  command->add_option("KERNEL", state->kernel_path, "Kernel to read: .tif, .tiff or .npy")->required();
  command->add_option("OUTPUT", state->output_path, "Image to write: .tif, .tiff or .npy")->required();
  state->options.add_to(*command);
  add_choice(
      *command, "--dtype", state->element, {Element::f32, Element::f64, Element::u16, Element::u8},
      [](std::optional<Element> value) { return name(*value); },
      "Voxels of the output; integers are rounded and clipped (default f32, or f64 with --precision f64)");
  command->add_flag("--trace-memory", state->trace_memory, "Print the device memory in use after every step");
  command->add_flag("--quiet,-q", state->quiet, "No progress bar, no summary; warnings and errors only");
  command->add_option("--report", state->report_path, "Write what was done, with plan and timings, as JSON")
      ->type_name("FILE.json");
  command->footer(
      "Examples:\n"
      "  convoy convolve image.tif psf.tif blurred.tif\n"
      "  convoy convolve image.tif psf.tif blurred.tif --boundary reflect --backend vulkan\n"
      "  convoy convolve big.tif psf.tif blurred.tif --memory-limit 2GiB --report run.json\n"
      "  convoy convolve image.npy kernel.npy full.npy --mode full --no-normalize --precision f64");
  command->callback([command, state] {
    state->options.require_consistent(*command);
    state->run();
  });
}

}  // namespace convoy::cli
