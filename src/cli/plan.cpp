#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/convolution_options.hpp"
#include "cli/deconvolution_options.hpp"
#include "cli/device_options.hpp"
#include "cli/file_options.hpp"
#include "cli/image_list.hpp"
#include "cli/print.hpp"
#include "convoy/convolution.hpp"
#include "convoy/deconvolution.hpp"
#include "convoy/io.hpp"

namespace convoy::cli {
namespace {

struct PlanCommand {
  std::string image_path;
  std::string kernel_path;
  Shape image;
  Shape kernel;
  ConvolutionOptions options;
  DeconvolutionOptions deconvolution;  ///< with --deconvolve
  DeviceOptions devices;
  FileOptions files;
  std::optional<Streaming> streaming;  ///< of an image file
  std::uint64_t cache_bytes = 0;       ///< of its reader
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
    plan.host_memory_limit_bytes =
        files.host_memory_limit_bytes(files.host_bytes_beside_plan(on, cache_bytes), options.deterministic);
    return plan;
  }

  Streaming streaming_of(Element read, const Shape& chunk) const {
    return {read, options.choices.precision == Precision::f64 ? Element::f64 : Element::f32, chunk, chunk};
  }

  /// Takes the sizes from the files: of the image only what describes it is read.
  void read_files() {
    const auto images = files.open(image_path);
    const ImageFileReader& first = *images[0];
    image = first.shape();
    streaming = streaming_of(first.element(), first.chunk());
    cache_bytes = first.cache_bytes();
    const std::vector<std::string> names = names_of(kernel_path);
    std::vector<Image> kernel_images;
    for (const std::string& name : names) {
      kernel_images.push_back(read_image(name));
      options.place(kernel_images.back(), image);
    }
    const ImageList kernels = joined("KERNEL", kernel_images, names);
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
    DeconvolutionSpec spec = deconvolution.spec(image, kernel);
    spec.num_psfs = options.choices.num_kernels;
    return spec;
  }

  /// One line a job.
  void show_regions(const Device& device) const {
    const ConvolutionSpec whole = options.spec(image, kernel);
    const Limits limits = device.limits();
    const PlanOptions with = plan_options({device});
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const Box& box : split_output(whole, num_regions)) {
      ConvolutionSpec part = whole;
      part.region = box;
      const Plan plan = make_plan(part, limits, with);
      if (json) {
        list.push_back({{"region", to_text(box)},
                        {"input_box", to_text(input_box(part))},
                        {"num_tiles", plan.num_tiles()},
                        {"footprint_bytes", plan.footprint_bytes},
                        {"host_bytes", plan.host_bytes},
                        {"predicted_seconds", plan.predicted_seconds}});
      } else {
        print_result("--region {:<40} reads {:<40} device memory {:>10}  host memory {:>10}  predicted {:.3g} s\n",
                     to_text(box), to_text(input_box(part)), bytes_to_text(plan.footprint_bytes),
                     bytes_to_text(plan.host_bytes), plan.predicted_seconds);
      }
    }
    if (json) print_result("{}\n", list.dump(2));
  }

  /// One line a job. All cut the image as the whole would be cut, into so many tiles at least.
  void show_regions(const std::vector<Device>& on) const {
    DeconvolutionSpec part = deconvolution_spec();
    part.tiles = Tiles::fast;
    PlanOptions with = plan_options(on);
    with.min_tiles = std::max<Index>(2, num_regions);
    const DeconvolutionPlan whole = make_plan(part, on, with);
    const Shape& core = whole.fast->core;
    const std::string core_text = fmt::format("{},{},{}", core.z, core.y, core.x);
    with.min_tiles = 1;
    with.tile_output = core;
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const Box& box : split_output(whole, num_regions)) {
      part.region = box;
      const DeconvolutionPlan plan = make_plan(part, on, with);
      const double seconds = plan.predicted_seconds * static_cast<double>(plan.spec.iterations);
      if (json) {
        list.push_back({{"region", to_text(box)},
                        {"core", core_text},
                        {"num_tiles", plan.fast->num_tiles()},
                        {"footprint_bytes", plan.footprint_bytes},
                        {"host_bytes", plan.host_bytes},
                        {"predicted_seconds", seconds}});
      } else {
        print_result(
            "--region {:<40} --core {:<15} tiles {:>5}  device memory {:>10}  host memory {:>10}  predicted {:.3g} s\n",
            to_text(box), core_text, plan.fast->num_tiles(), bytes_to_text(plan.footprint_bytes),
            bytes_to_text(plan.host_bytes), seconds);
      }
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
    if (num_regions > 0 && deconvolve) {
      show_regions(on);
    } else if (num_regions > 0) {
      show_regions(device);
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
  for (const char* option : {"--axes", "--series", "--voxel-size", "--raw"}) {
    if (given(option)) throw CLI::ValidationError(option, "describes an image file; name the files IMAGE and KERNEL");
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
