#include "cli/image_options.hpp"

#include "cli/command_line.hpp"

namespace convoy::cli {
void ImageOptions::add_image_options_to(CLI::App& command) {
  command
      .add_option(
          "--axes", axes,
          "Axes of the image file, slowest first, of T, C, Z, Y, X; time points and channels are images of their "
          "own; an extent may follow its axis, as in ZC3YX for plain pages (default: as the file says, else ZYX)")
      ->type_name("AXES");
  command.add_option("--series", series, "Which image series of a file that holds several, counted from 0")
      ->type_name("N")
      ->check(zero_or_above());
  command
      .add_option_function<std::string>(
          "--voxel-size",
          [this](const std::string& text) { voxel_size = value_of_option("--voxel-size", text, voxel_size_from_text); },
          "Distance of neighbouring voxels, in place of what the image file says, as in 0.3,0.1,0.1,um")
      ->type_name("Z,Y,X[,UNIT]");
  command
      .add_option_function<std::string>(
          "--raw", [this](const std::string& text) { raw = value_of_option("--raw", text, raw_layout_from_text); },
          "The image is voxels alone, u8, i8, u16, i16, u32, i32, f16, bf16, f32, f64, c64 or c128, from an offset in "
          "bytes on, as in "
          "128,512,512,u16,4096,big; bytes that follow are an error unless 'more' is added")
      ->type_name("Z,Y,X,TYPE[,OFFSET][,big][,more]");
  command.add_flag("--allow-missing-chunks", allow_missing_chunks,
                   "Read a Zarr array without a single chunk as its fill value instead of refusing it");
}

OpenOptions ImageOptions::open_options() const {
  OpenOptions options;
  options.axes = axes;
  options.series = series;
  options.voxel_size = voxel_size;
  options.raw = raw;
  options.allow_missing_chunks = allow_missing_chunks;
  return options;
}

}  // namespace convoy::cli
