// copy_image FROM TO [AXES [SERIES [VERSION]]]: reads the images of a file with convoy and writes them again, a .zarr
// as OME-Zarr of that version ("0.4" or "0.5"). What is "" is not given. Prints what it read, and on stderr what the
// reader warns of.
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "convoy/io.hpp"

namespace {

void copy(const std::string& from, const std::string& to, const convoy::OpenOptions& options,
          convoy::OmeZarr ome_zarr) {
  const auto images = convoy::open_images(from, options);
  const convoy::Shape shape = images[0]->shape();
  const convoy::Element element = images[0]->element();
  for (const std::string& text : images[0]->metadata().warnings) std::fprintf(stderr, "warning: %s\n", text.c_str());
  convoy::CreateOptions create;
  create.overwrite = true;
  create.ome_zarr = ome_zarr;
  const auto output = convoy::create_image(to, shape, element, images[0]->metadata(), create);
  std::vector<std::byte> voxels(static_cast<std::size_t>(num_voxels(shape)) * size_of(element));
  for (std::size_t number = 0; number < images.size(); ++number) {
    images[number]->read({{0, 0, 0}, shape}, voxels.data());
    output->image(static_cast<convoy::Index>(number)).write({{0, 0, 0}, shape}, voxels.data());
  }
  output->commit();
  std::printf("%zu x %s %s\n", images.size(), to_text(shape).c_str(), name(element));
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3 || count > 6) return 2;
  try {
    convoy::OpenOptions options;
    if (count > 3) options.axes = arguments[3];
    if (count > 4 && *arguments[4] != 0) options.series = std::atoi(arguments[4]);
    const bool is_newer = count > 5 && arguments[5] == std::string("0.5");
    copy(arguments[1], arguments[2], options, is_newer ? convoy::OmeZarr::v0_5 : convoy::OmeZarr::v0_4);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
