#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/convolution_options.hpp"
#include "cli/deconvolution_options.hpp"
#include "cli/device_options.hpp"
#include "cli/file_options.hpp"
#include "cli/image_list.hpp"
#include "cli/print.hpp"
#include "cli/psf_options.hpp"
#include "convoy/convolution.hpp"
#include "convoy/deconvolution.hpp"
#include "convoy/io.hpp"

namespace convoy::cli {
namespace {

/// Of --split.
struct Job {
  Box region;
  std::string cut;  ///< the box that a convolution reads, or the core of a deconvolution's tiles
  Index num_tiles = 0;
  std::uint64_t footprint_bytes = 0;
  std::uint64_t host_bytes = 0;
  double predicted_seconds = 0;
};

struct PlanCommand {
  std::string image_path;
  std::string kernel_path;
  Shape image;
  Shape kernel;
  ConvolutionOptions options;
  DeconvolutionOptions deconvolution;  ///< with --deconvolve
  PsfOptions psf_options;              ///< likewise
  std::string mask_path;               ///< likewise
  std::optional<Element> element;      ///< of the output; likewise
  DeviceOptions devices;
  FileOptions files;
  std::optional<Streaming> streaming;  ///< of an image file
  std::uint64_t cache_bytes = 0;       ///< of its reader
  std::uint64_t mask_bytes = 0;
  std::optional<DeconvolutionSpec> spec_of_files;
  bool resident = false;
  bool deconvolve = false;
  Index num_regions = 0;
  bool json = false;
  std::optional<int> separable_terms;  ///< of a kernel file

  PlanOptions plan_options(const std::vector<Device>& on) const {
    PlanOptions plan = deconvolve ? deconvolution.plan_options() : options.plan_options();
    plan.separable_terms = separable_terms;
    plan.resident = resident;
    if (!resident) plan.streaming = streaming;
    if (files.ram_limit_bytes == 0) return plan;
    if (!streaming) plan.streaming = streaming_of(Element::f32, image);
    plan.host_memory_limit_bytes = files.host_memory_limit_bytes(
        files.host_bytes_beside_plan(on, cache_bytes) + mask_bytes, options.deterministic);
    return plan;
  }

  Streaming streaming_of(Element read, const Shape& chunk) const {
    const Element usual = options.choices.precision == Precision::f64 ? Element::f64 : Element::f32;
    return {read, element.value_or(usual), chunk, chunk};
  }

  ImageList read_psfs(const ImageFileReader& first) {
    if (!mask_path.empty()) mask_bytes = FileOptions::bytes_beside(open_images(mask_path));
    return psf_options.read(kernel_path, first, options, print_warning);
  }

  /// Takes the sizes from the files: of the image only what describes it is read.
  void read_files() {
    const auto images = files.open(image_path);
    const ImageFileReader& first = *images[0];
    image = first.shape();
    streaming = streaming_of(first.element(), first.chunk());
    cache_bytes = first.cache_bytes();
    const ImageList kernels = deconvolve ? read_psfs(first) : options.read_kernels(kernel_path, image);
    kernel = kernels.shape;
    options.choices.num_kernels = kernels.count;
    const Index group = deconvolve ? 1 : num_images(options.spec(image, kernel));
    streaming->num_groups = std::max<Index>(1, static_cast<Index>(images.size()) / group);
    const ImageView voxels = kernels.view();
    if (options.choices.origin.rule == Origin::Rule::peak) {
      ConvolutionSpec spec = options.spec(image, kernel);
      if (deconvolve) spec.num_kernels = spec.batch = 1;  // each PSF has its own, on which tiles do not depend
      validate(spec);
      const ImageView first_kernel = voxels.image(0);
      options.choices.origin = Origin::at(resolve_origin(spec, deconvolve ? &first_kernel : &voxels));
    }
    deconvolution.common = options;
    if (deconvolve) spec_of_files = deconvolution.spec_for(first, kernels);
    if (!deconvolve && !is_complex(voxels.element))
      separable_terms = count_separable_terms(options.spec(image, kernel), voxels);
    if (json) return;
    print_result("image  {}: {} {} zyx{}\n", image_path, name(first.element()), to_text(image),
                 images.size() > 1
                     ? fmt::format(", {} images (time points and channels) one after the other", images.size())
                     : "");
    print_result("kernel {}: {} {} zyx\n", kernel_path, name(kernels.element), to_text(kernel));
  }

  template <class AnyPlan>
  void show(const AnyPlan& plan, const Device& device) const {
    if (json) {
      print_result("{}\n", to_json(plan));
      return;
    }
    print_result("on {} ({})\n{}", device.info().id, device.info().name, to_text(plan));
  }

  DeconvolutionSpec deconvolution_spec() const {
    if (spec_of_files) return *spec_of_files;
    DeconvolutionSpec spec = deconvolution.spec(image, kernel);
    spec.num_psfs = options.choices.num_kernels;
    return spec;
  }

  std::vector<Job> jobs_of_convolution(const Device& device) const {
    const ConvolutionSpec whole = options.spec(image, kernel);
    const Limits limits = device.limits();
    const PlanOptions with = plan_options({device});
    std::vector<Job> jobs;
    for (const Box& box : split_output(whole, num_regions)) {
      ConvolutionSpec part = whole;
      part.region = box;
      const Plan plan = make_plan(part, limits, with);
      jobs.push_back({box, to_text(input_box(part)), plan.num_tiles(), plan.footprint_bytes, plan.host_bytes,
                      plan.predicted_seconds});
    }
    return jobs;
  }

  /// All cut the image as the whole would be cut, into so many tiles at least.
  std::vector<Job> jobs_of_deconvolution(const std::vector<Device>& on) const {
    DeconvolutionSpec part = deconvolution_spec();
    part.tiles = Tiles::fast;
    PlanOptions with = plan_options(on);
    with.min_tiles = std::max<Index>(2, num_regions);
    const DeconvolutionPlan whole = make_plan(part, on, with);
    const Shape& core = whole.fast->core;
    with.min_tiles = 1;
    with.tile_output = core;
    std::vector<Job> jobs;
    for (const Box& box : split_output(whole, num_regions)) {
      part.region = box;
      const DeconvolutionPlan plan = make_plan(part, on, with);
      jobs.push_back({box, fmt::format("{},{},{}", core.z, core.y, core.x), plan.fast->num_tiles(),
                      plan.footprint_bytes, plan.host_bytes,
                      plan.predicted_seconds * static_cast<double>(plan.spec.iterations)});
    }
    return jobs;
  }

  /// One line a job.
  void show_jobs(const std::vector<Job>& jobs) const {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const Job& job : jobs) {
      list.push_back({{"region", to_text(job.region)},
                      {deconvolve ? "core" : "input_box", job.cut},
                      {"num_tiles", job.num_tiles},
                      {"footprint_bytes", job.footprint_bytes},
                      {"host_bytes", job.host_bytes},
                      {"predicted_seconds", job.predicted_seconds}});
      if (json) continue;
      print_result(
          "--region {:<40} {} {:<{}} tiles {:>5}  device memory {:>10}  host memory {:>10}  predicted {:.3g} s\n",
          to_text(job.region), deconvolve ? "--core" : "reads", job.cut, deconvolve ? 15 : 40, job.num_tiles,
          bytes_to_text(job.footprint_bytes), bytes_to_text(job.host_bytes), job.predicted_seconds);
    }
    if (json) print_result("{}\n", list.dump(2));
  }

  void run() {
    if (!image_path.empty()) read_files();
    deconvolution.common = options;
    if (options.choices.origin.rule == Origin::Rule::peak) {
      throw CLI::ValidationError("--origin", "peak depends on the kernel's voxels; name the files, or give z,y,x");
    }
    const std::vector<Device> on = devices.open(options.backend);
    const Device& device = on.front();
    if (num_regions > 0) {
      show_jobs(deconvolve ? jobs_of_deconvolution(on) : jobs_of_convolution(device));
    } else if (deconvolve) {
      show(make_plan(deconvolution_spec(), on, plan_options(on)), device);
    } else {
      show(make_plan(options.spec(image, kernel), device, plan_options(on)), device);
    }
  }
};

/// Those of --deconvolve need it, and what convolutions alone have excludes it.
void add_deconvolution_to(CLI::App& command, PlanCommand& state) {
  CLI::Option* deconvolve =
      command.add_flag("--deconvolve", state.deconvolve, "Plan a deconvolution: KERNEL is the PSF");
  const std::size_t num_before = command.get_options().size();
  state.deconvolution.add_method_to(command);
  state.psf_options.add_to(command);
  command.add_option("--mask", state.mask_path, "The mask, which is in memory beside its image")->type_name("FILE");
  add_choice(
      command, "--dtype", state.element, all_elements<std::optional<Element>>(),
      [](std::optional<Element> value) { return name(*value); },
      "Voxels of the output (default f32, or f64 with --precision f64)");
  state.devices.add_to(command);
  const std::vector<CLI::Option*> all = command.get_options();
  for (std::size_t i = num_before; i < all.size(); ++i) all[i]->needs(deconvolve);
  for (const char* option : {"--mode", "--boundary", "--constant", "--correlate", "--flip", "--preserve-nan",
                             "--no-data", "--method", "--pairing", "--resident"}) {
    deconvolve->excludes(command.get_option(option));
  }
}

/// Files or sizes, not both, and two of them.
void require_sizes_or_files(const CLI::App& command) {
  const auto given = [&](const char* name) { return command.count(name) > 0; };
  if (given("IMAGE")) {
    if (!given("KERNEL")) throw CLI::ValidationError("KERNEL", "is missing: name the kernel's file after the image's");
    for (const char* option : {"--image", "--kernel", "--num-kernels"}) {
      if (given(option)) throw CLI::ValidationError(option, "is known from the files; leave it out");
    }
    return;
  }
  for (const char* option : {"--image", "--kernel"}) {
    if (!given(option)) {
      throw CLI::ValidationError(option, "is missing: give --image and --kernel Z,Y,X, or the files IMAGE and KERNEL");
    }
  }
  for (const char* option :
       {"--axes", "--series", "--voxel-size", "--raw", "--psf-voxel-size", "--psf-crop", "--mask"}) {
    if (given(option)) throw CLI::ValidationError(option, "describes files; name the files IMAGE and KERNEL");
  }
}

}  // namespace

void add_plan(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "plan", "Show how a convolution or deconvolution would be padded and tiled, and the memory it would take");
  const auto state = std::make_shared<PlanCommand>();
  command->add_option("IMAGE", state->image_path, "Image file whose size to plan for: .tif, .npy, .raw or .zarr")
      ->check(not_empty());
  command->add_option("KERNEL", state->kernel_path, "Kernel file: .tif, .npy or .zarr; several with commas between")
      ->check(not_empty());
  add_shape(*command, "--image", state->image, "Size of the image, without files; Y,X for one plane");
  add_shape(*command, "--kernel", state->kernel, "Size of the kernel, without files; Y,X for one plane");
  command
      ->add_option("--num-kernels", state->options.choices.num_kernels, "How many kernels, without files (default 1)")
      ->type_name("N")
      ->check(whole_number(1, 4096));
  state->options.add_to(*command);
  state->options.add_pairing_to(*command);
  state->files.add_image_options_to(*command);
  state->files.add_ram_limit_to(*command);
  auto* resident = command->add_flag("--resident", state->resident,
                                     "Image and output lie on the device, as for a program's ResidentConvolver");
  command
      ->add_option("--split", state->num_regions,
                   "Cut the output into N regions, and print for each the option --region of the job that computes it, "
                   "with its memory and time; of a deconvolution --core, too, with which the jobs together give what "
                   "one run with it gives")
      ->type_name("N")
      ->check(whole_number(1, 1000000))
      ->excludes(resident);
  add_deconvolution_to(*command, *state);
  command->add_flag("--json", state->json, "Print JSON");
  command->footer(
      "Examples:\n"
      "  convoy plan image.tif psf.tif\n"
      "  convoy plan --image 128,512,512 --kernel 128,256,256\n"
      "  convoy plan --image 128,512,512 --kernel 128,256,256 --deconvolve --edges zero\n"
      "  convoy plan movie.zarr psf405.tif,psf561.tif --deconvolve --ram-limit 8GiB --devices cuda:0,cuda:1\n"
      "  convoy plan --image 1000,2048,2048 --kernel 91,31,31 --memory-limit 4GiB --json\n"
      "  convoy plan --image 1000,2048,2048 --kernel 91,31,31 --split 16 --memory-limit 4GiB");
  command->callback([command, state] {
    require_sizes_or_files(*command);
    state->options.require_consistent(*command);
    if (state->deconvolve) state->deconvolution.require_consistent(*command);
    state->run();
  });
}

}  // namespace convoy::cli
