#include <memory>

#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/print.hpp"
#include "convoy/io.hpp"
#include "convoy/picture.hpp"

namespace convoy::cli {
namespace {

struct ProjectCommand {
  std::string image_path;
  std::string picture_path;
  PictureOptions options;
  bool quiet = false;

  void run() const {
    require_different_files(picture_path, image_path);
    require_writable(picture_path);
    const Image picture = make_projection_picture(*open_image(image_path), options);
    write_png(picture_path, picture.view());
    if (!quiet) print_summary("{} x {} pixels -> {}\n", picture.shape.x, picture.shape.y, picture_path);
  }
};

}  // namespace

void add_project(CLI::App& program) {
  CLI::App* command = program.add_subcommand("project", "Draw a volume: maximum projections xy and zy as a PNG");
  const auto state = std::make_shared<ProjectCommand>();
  command->add_option("IMAGE", state->image_path, "Image to read: .tif, .npy or .zarr")->required();
  command->add_option("PICTURE", state->picture_path, "Picture to write: .png")->required()->check(ends_in(".png"));
  command->add_option("--gamma", state->options.gamma, "Grey = value^gamma; below 1 shows faint light (default 1)")
      ->type_name("G")
      ->check(above_zero());
  command->add_option("--scale-z", state->options.z_scale, "Pixels per voxel along z (default 1)")
      ->type_name("S")
      ->check(above_zero());
  command->add_flag("--quiet,-q", state->quiet, "Print nothing");
  command->footer("Example:\n  convoy project blurred.tif blurred.png --gamma 0.5 --scale-z 3");
  command->callback([state] { state->run(); });
}

}  // namespace convoy::cli
