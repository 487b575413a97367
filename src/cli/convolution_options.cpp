#include "cli/convolution_options.hpp"

#include "cli/command_line.hpp"
#include "cli/device_options.hpp"
#include "convoy/error.hpp"

namespace convoy::cli {
namespace {

template <class Value>
auto name_of() {
  return [](Value value) { return name(value); };
}

Origin origin_from_text(const std::string& text) {
  for (const auto rule : {Origin::Rule::center, Origin::Rule::scipy, Origin::Rule::first, Origin::Rule::peak}) {
    if (text == name(rule)) return {rule, {0, 0, 0}};
  }
  if (text.find(',') != std::string::npos) return Origin::at(index_from_text("--origin", text));
  throw CLI::ValidationError("--origin",
                             fmt::format("'{}' is none of center, scipy, first, peak, nor a voxel z,y,x", text));
}

}  // namespace

void add_path(CLI::App& command, std::optional<Path>& path, const std::string& purpose) {
  command
      .add_option_function<std::string>(
          "--path",
          [&path](const std::string& text) {
            try {
              path = path_from_text(usual_spelling(text));
            } catch (const Error& error) {
              throw CLI::ValidationError("--path", error.what());
            }
          },
          fmt::format(
              "{}: native is convoy's own passes, fused the FFT library's with padding, product and cropping in them, "
              "staged one transform an axis and a product between (default auto: the first that is possible)",
              purpose))
      ->type_name("auto|native|fused|staged");
}

void add_method(CLI::App& command, Method& method, const std::string& purpose) {
  add_choice(
      command, "--method", method, {Method::automatic, Method::fft, Method::direct, Method::separable},
      name_of<Method>(),
      fmt::format("{}: fft by transforms, direct as the sum over the kernel's voxels, separable as sums along the "
                  "axes, for kernels that are a few products of functions of z, y and x (default auto: the one "
                  "predicted to be the fastest)",
                  purpose));
}

void ConvolutionOptions::add_common_to(CLI::App& command, const std::string& kernel,
                                       const std::string& origin_applies) {
  command
      .add_option("--backend", backend,
                  "Device: a backend, or one of its devices as in cuda:1 (default auto: the best "
                  "GPU, else the CPU)")
      ->type_name(backend_choices("|") + "[:N]");
  command
      .add_option_function<std::string>(
          "--origin", [this](const std::string& text) { choices.origin = origin_from_text(text); },
          fmt::format("Voxel of the {} that lies on the output voxel{}: center is floor(k/2), scipy is floor((k-1)/2), "
                      "first is 0, peak is the largest (default center)",
                      kernel, origin_applies))
      ->type_name("center|scipy|first|peak|z,y,x");
  command
      .add_option(
          "--kernel-axes", kernel_axes,
          "Axes that the kernel's file has, slowest first, of Z, Y and X, where they are fewer than the image's, "
          "as in YX for one plane (default: all of the image's)")
      ->type_name("AXES");
  const bool by_default = choices.normalize_kernel;
  CLI::Option* normalize = command.add_flag_callback(
      "--normalize", [this] { choices.normalize_kernel = true; },
      fmt::format("Divide the {} by its sum{}", kernel, by_default ? " (default)" : ""));
  command
      .add_flag_callback(
          "--no-normalize", [this] { choices.normalize_kernel = false; },
          fmt::format("Take the {} as it is{}", kernel, by_default ? "" : " (default)"))
      ->excludes(normalize);
  add_choice(command, "--precision", choices.precision, {Precision::f32, Precision::f64}, name_of<Precision>(),
             "Arithmetic on the device (default f32)");
  add_memory_limit(command, "--memory-limit", memory_limit_bytes,
                   "Most device memory to use, as in 2GiB or 500MB (default: what is free)");
  add_choice(command, "--tune", tune, {Tune::off, Tune::model, Tune::measure}, name_of<Tune>(),
             "How to choose among plans that are all right: off takes the smallest, model the one of least predicted "
             "time, measure runs the likeliest few once and remembers the fastest (default model)");
  add_path(command, path, "How the device does a tile");
  command.add_flag(
      "--deterministic", deterministic,
      "The same bits in every run of this command on this machine: plan for half of the memory that there is, "
      "whatever is free, and fail where that is not free; not with --tune measure, nor with devices of "
      "several kinds");
}

void ConvolutionOptions::add_pairing_to(CLI::App& command) {
  add_choice(
      command, "--pairing", choices.pairing, {kAllPairings.begin(), kAllPairings.end()}, name_of<Pairing>(),
      "What several kernels do: all makes an output of every image and kernel, as channels; each takes the first "
      "kernel for the first channel and so on; sum makes one output, of the image times a weight image for each "
      "kernel, for PSFs that vary over the image (default all)");
}

void ConvolutionOptions::add_region_to(CLI::App& command, const std::string& meaning) {
  command
      .add_option("--region", region,
                  meaning +
                      ", as begin:end of z, y and x; :end, begin: and : mean from the first and to the last voxel "
                      "(default: all)")
      ->type_name("Z0:Z1,Y0:Y1,X0:X1");
}

void ConvolutionOptions::add_to(CLI::App& command) {
  choices.normalize_kernel = true;  // a PSF's numbers are rarely of sum 1
  add_choice(command, "--mode", choices.mode, {Mode::full, Mode::same, Mode::valid, Mode::circular}, name_of<Mode>(),
             "Part of the convolution to keep (default same)");
  add_choice(command, "--boundary", choices.boundary, {kAllBoundaries.begin(), kAllBoundaries.end()},
             name_of<Boundary>(), "What lies outside the image, for --mode same and full (default zero)");
  command
      .add_option("--constant", choices.constant,
                  "Value outside the image, for --boundary constant; nan: what lies there is missing (default 0)")
      ->type_name("V");
  CLI::Option* correlate = command.add_flag_callback(
      "--correlate", [this] { choices.operation = Operation::correlate; },
      "The exact adjoint of the convolution instead, as solvers need it");
  command
      .add_flag_callback(
          "--flip", [this] { choices.operation = Operation::flip; },
          "Mirror the kernel: the correlation, as in scipy.ndimage.correlate, that reads the image through --boundary; "
          "--origin scipy is floor(k/2) then, where scipy.signal.correlate cuts 'same'")
      ->excludes(correlate);
  add_region_to(command, "Compute only this part of the output");
  add_choice(command, "--nan", choices.non_finite, {NonFinite::error, NonFinite::zero, NonFinite::interpolate},
             name_of<NonFinite>(),
             "What to do with NaN and infinite image voxels: zero takes them as 0, interpolate as missing, by the "
             "normalised convolution of astropy (default error)");
  command.add_flag("--preserve-nan", choices.preserve_nan,
                   "Output voxels where the image is NaN or infinite are NaN again, with --nan zero and interpolate");
  command
      .add_option("--no-data", choices.no_data,
                  "Image voxels of exactly this value mark missing data: they are taken as 0 and counted")
      ->type_name("VALUE");
  add_method(command, method, "How to convolve");
  add_common_to(command, "kernel", " (in --mode same and circular)");
}

void ConvolutionOptions::require_consistent(const CLI::App& command) const {
  const auto given = [&](const char* option) { return command.count(option) > 0; };
  if (given("--boundary") && choices.mode != Mode::same && choices.mode != Mode::full) {
    throw CLI::ValidationError(
        "--boundary",
        fmt::format("has no meaning with --mode {}; boundaries belong to --mode same and full", name(choices.mode)));
  }
  if (given("--constant") && choices.boundary != Boundary::constant) {
    throw CLI::ValidationError("--constant", "needs --boundary constant");
  }
  if (given("--origin") && choices.mode != Mode::same && choices.mode != Mode::circular) {
    throw CLI::ValidationError(
        "--origin", fmt::format("has no meaning with --mode {}; it belongs to same and circular", name(choices.mode)));
  }
}

ConvolutionSpec ConvolutionOptions::spec(const Shape& image, const Shape& kernel) const {
  ConvolutionSpec spec = choices;
  spec.image = image;
  spec.kernel = kernel;
  if (spec.pairing == Pairing::each) spec.batch = spec.num_kernels;  // the channels of a time point
  if (!region.empty()) spec.region = box_from_text(region, whole_output_shape(spec));
  return spec;
}

void ConvolutionOptions::place(Image& kernel, const Shape& image) const {
  try {
    place_kernel(kernel, image, kernel_axes);
  } catch (const Error& error) {
    throw CLI::ValidationError("--kernel-axes", error.what());
  }
}

ImageList ConvolutionOptions::read_kernels(const std::string& files, const Shape& image) const {
  const std::vector<std::string> names = names_of(files);
  std::vector<Image> kernels;
  for (const std::string& name : names) {
    kernels.push_back(read_image(name));
    place(kernels.back(), image);
  }
  return joined("KERNEL", kernels, names);
}

PlanOptions ConvolutionOptions::plan_options() const {
  PlanOptions options;
  options.memory_limit_bytes = memory_limit_bytes;
  options.tune = tune;
  options.path = path;
  options.method = method;
  options.deterministic = deterministic;
  return options;
}

Device ConvolutionOptions::device() const {
  try {
    return open_device(backend);
  } catch (const Error& error) {
    if (error.code() != Errc::invalid_argument) throw;
    throw CLI::ValidationError("--backend", error.what());
  }
}

}  // namespace convoy::cli
