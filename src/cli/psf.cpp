#include <functional>
#include <memory>

#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/print.hpp"
#include "convoy/io.hpp"
#include "convoy/synthetic.hpp"

namespace convoy::cli {
namespace {

struct PsfFile {
  std::string output_path;
  Shape size;
  Element element = Element::f32;
  bool overwrite = false;
  OmeZarr ome_zarr = OmeZarr::v0_4;
  bool quiet = false;

  void add_to(CLI::App& command) {
    command.add_option("OUTPUT", output_path, "Image to write: .tif, .npy, .raw or .zarr")->required();
    add_shape(command, "--size", size, "Size of the PSF; its centre is floor(size/2)")->required();
    add_element(command, element, {Element::f32, Element::f64}, "Voxels (default f32)");
    add_overwrite(command, overwrite);
    add_ome_zarr(command, ome_zarr);
    command.add_flag("--quiet,-q", quiet, "Print nothing");
  }

  void write(const std::function<void(const MutableImageView&)>& fill, const ImageMetadata& metadata) const {
    CreateOptions create;
    create.overwrite = overwrite;
    create.ome_zarr = ome_zarr;
    require_writable_image(output_path, create);
    Image psf = make_image(size, element);
    fill(psf.mutable_view());
    write_image(output_path, psf.view(), metadata, create);
    if (!quiet) print_summary("PSF of sum 1, {} {} zyx -> {}\n", name(element), to_text(size), output_path);
  }
};

void add_gaussian(CLI::App& psf) {
  struct State {
    PsfFile file;
    Position sigma;
  };
  CLI::App* command = psf.add_subcommand("gaussian", "A Gaussian of sum 1");
  const auto state = std::make_shared<State>();
  state->file.add_to(*command);
  add_position(*command, "--sigma", state->sigma, "Widths (standard deviations) in voxels")->required();
  command->footer("Example:\n  convoy psf gaussian psf.tif --size 31,31,31 --sigma 4,2,2");
  command->callback([state] {
    state->file.write([&](const MutableImageView& psf_voxels) { fill_gaussian_psf(psf_voxels, state->sigma); }, {});
  });
}

void add_widefield(CLI::App& psf) {
  struct State {
    PsfFile file;
    WidefieldOptics optics;
  };
  CLI::App* command = psf.add_subcommand("widefield", "A widefield microscope's PSF of sum 1 (scalar Debye integral)");
  const auto state = std::make_shared<State>();
  WidefieldOptics& optics = state->optics;
  state->file.add_to(*command);
  command->add_option("--na", optics.numerical_aperture, "Numerical aperture (default 1.2)")->type_name("NA");
  command->add_option("--wavelength", optics.wavelength, "Wavelength in vacuum, in micrometres (default 0.52)")
      ->type_name("UM");
  command->add_option("--refractive-index", optics.refractive_index, "Of the medium (default 1.33, water)")
      ->type_name("N");
  add_position(*command, "--voxel", optics.voxel, "Voxel size in micrometres (default 0.3,0.1,0.1)");
  command
      ->add_option("--oversampling", optics.oversampling,
                   "Samples of the radial profile per voxel; between them it is interpolated (default 10)")
      ->type_name("S")
      ->check(whole_number(1, 1000));
  command->footer(
      "h(r,z) = |integral over rho in 0..1 of J0(k NA r rho) exp(i k z sqrt(n^2 - NA^2 rho^2)) rho d rho|^2, k = 2 pi "
      "/ "
      "wavelength\n(Born and Wolf, Principles of Optics, 8.8).\n"
      "Example:\n  convoy psf widefield psf.tif --size 128,256,256 --na 1.2 --wavelength 0.52 --voxel 0.3,0.1,0.1");
  command->callback([state] {
    const Position& voxel = state->optics.voxel;
    state->file.write([&](const MutableImageView& psf_voxels) { fill_widefield_psf(psf_voxels, state->optics); },
                      {3, VoxelSize{voxel.z, voxel.y, voxel.x, "micron"}});
  });
}

}  // namespace

void add_psf(CLI::App& program) {
  CLI::App* command = program.add_subcommand("psf", "Make a point spread function (a kernel)");
  need_subcommand(*command);
  add_gaussian(*command);
  add_widefield(*command);
  command->footer(
      "Examples:\n  convoy psf gaussian psf.tif --size 31,31,31 --sigma 4,2,2\n"
      "  convoy psf widefield psf.tif --size 128,256,256");
}

}  // namespace convoy::cli
