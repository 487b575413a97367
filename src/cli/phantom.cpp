#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/print.hpp"
#include "convoy/io.hpp"
#include "convoy/synthetic.hpp"

namespace convoy::cli {
namespace {

struct SpheresCommand {
  std::string output_path;
  Shape size{128, 512, 512};
  std::optional<double> radius;
  std::vector<std::string> centers;
  double value = 1;
  Element element = Element::f32;
  bool overwrite = false;
  OmeZarr ome_zarr = OmeZarr::v0_4;
  bool quiet = false;

  std::vector<Sphere> spheres() const {
    std::vector<Sphere> list = three_spheres(size);
    const double default_radius = list[0].radius;
    if (!centers.empty()) list.clear();
    for (const std::string& center : centers) list.push_back({position_from_text("--center", center), default_radius});
    if (radius) {
      for (Sphere& sphere : list) sphere.radius = *radius;
    }
    return list;
  }

  /// The volume need not fit in memory: it is drawn in planes, or rows of a plane, of a few MiB.
  template <class Body>
  void for_each_slab(Body body) const {
    constexpr std::uint64_t kSlabBytes = std::uint64_t{4} << 20;
    const std::uint64_t row_bytes = saturating_product(static_cast<std::uint64_t>(size.x), size_of(element));
    const auto rows = static_cast<Index>(std::max<std::uint64_t>(1, kSlabBytes / row_bytes));
    const Index slab_y = std::min(size.y, rows);
    const Index slab_z = std::max<Index>(1, rows / slab_y);
    std::vector<std::byte> voxels;
    for (Index z = 0; z < size.z; z += slab_z) {
      for (Index y = 0; y < size.y; y += slab_y) {
        body(Box{{z, y, 0}, {std::min(slab_z, size.z - z), std::min(slab_y, size.y - y), size.x}}, voxels);
      }
    }
  }

  void run() const {
    const std::vector<Sphere> list = spheres();
    CreateOptions create;
    create.overwrite = overwrite;
    create.ome_zarr = ome_zarr;
    const auto file = create_image(output_path, size, element, {}, create);
    for_each_slab([&](const Box& slab, std::vector<std::byte>& voxels) {
      voxels.assign(static_cast<std::size_t>(num_voxels(slab.size)) * size_of(element), std::byte{0});
      const MutableImageView view(voxels.data(), element, slab.size);
      for (const Sphere& sphere : list) draw_sphere(view, sphere, value, slab.begin);
      file->image().write(slab, voxels.data());
      stop_if_interrupted();
    });
    file->commit();
    if (!quiet) {
      print_summary("{} spheres of radius {} in {} {} zyx -> {}\n", list.size(), list[0].radius, name(element),
                    to_text(size), output_path);
    }
  }
};

void add_spheres(CLI::App& phantom) {
  CLI::App* command = phantom.add_subcommand("spheres", "Solid spheres, some of them partly outside the volume");
  const auto state = std::make_shared<SpheresCommand>();
  command->add_option("OUTPUT", state->output_path, "Image to write: .tif, .npy, .raw or .zarr")->required();
  add_shape(*command, "--size", state->size, "Size of the volume (default 128,512,512)");
  command->add_option("--radius", state->radius, "Radius in voxels (default 50 for x = 512, else in proportion to x)")
      ->type_name("R");
  command
      ->add_option("--center", state->centers,
                   "Centre of a sphere in voxels, may lie outside; give it once per sphere "
                   "(default: three places at the volume's faces)")
      ->type_name("z,y,x")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--value", state->value, "Value inside (default 1; outside is 0)")->type_name("V");
  add_element(*command, state->element, all_elements(), "Voxels (default f32)");
  add_overwrite(*command, state->overwrite);
  add_ome_zarr(*command, state->ome_zarr);
  command->add_flag("--quiet,-q", state->quiet, "Print nothing");
  command->footer(
      "Examples:\n"
      "  convoy phantom spheres spheres.tif\n"
      "  convoy phantom spheres two.tif --size 64,128,128 --radius 20 --center 32,30,40 --center 0,100,100");
  command->callback([state] { state->run(); });
}

}  // namespace

void add_phantom(CLI::App& program) {
  CLI::App* command = program.add_subcommand("phantom", "Make a test image");
  need_subcommand(*command);
  add_spheres(*command);
  command->footer("Example:\n  convoy phantom spheres spheres.tif");
}

}  // namespace convoy::cli
