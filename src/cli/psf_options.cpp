#include "cli/psf_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "cli/command_line.hpp"
#include "convoy/error.hpp"
#include "convoy/io.hpp"
#include "convoy/plan.hpp"
#include "convoy/psf.hpp"

namespace convoy::cli {
namespace {

constexpr double kSame = 0.01;  // of a length: less is how it was rounded

/// The image's voxels in the PSF's, 1 along axes where they are the same or the PSF has one voxel.
std::array<double, 3> steps(const VoxelSize& image, const VoxelSize& psf, const Shape& psf_shape) {
  std::array<double, 3> ratios = voxel_size_ratio(image, psf);
  for (int axis = 0; axis < 3; ++axis) {
    double& ratio = ratios[static_cast<std::size_t>(axis)];
    if (psf_shape[axis] == 1 || std::abs(ratio - 1) <= kSame) ratio = 1;
  }
  return ratios;
}

std::string to_text(const VoxelSize& size) {
  return fmt::format("{:g},{:g},{:g} {}", size.z, size.y, size.x, size.unit);
}

Shape origin_of(const Image& psf, const Origin& origin) {
  ConvolutionSpec spec;
  spec.kernel = psf.shape;
  spec.origin = origin;
  const ImageView view = psf.view();
  return resolve_origin(spec, &view);
}

/// The smallest box that holds both.
Box box_of_both(const Box& a, const Box& b) {
  Box both;
  for (int axis = 0; axis < 3; ++axis) {
    both.begin[axis] = std::min(a.begin[axis], b.begin[axis]);
    both.size[axis] = std::max(a.begin[axis] + a.size[axis], b.begin[axis] + b.size[axis]) - both.begin[axis];
  }
  return both;
}

}  // namespace

void PsfOptions::add_to(CLI::App& command) {
  command
      .add_option_function<std::string>(
          "--psf-voxel-size",
          [this](const std::string& text) {
            voxel_size = value_of_option("--psf-voxel-size", text, voxel_size_from_text);
          },
          "Distance of the PSF's voxels, as in 0.1,0.05,0.05,um: it is brought to the image's voxels")
      ->type_name("Z,Y,X[,UNIT]");
  command
      .add_option("--psf-crop", energy,
                  "Cut the PSF to the smallest box around its origin that holds this part of its sum, 0.999 say: less "
                  "memory and time (default 1: as it is)")
      ->type_name("PART")
      ->check(above_zero());
}

ImageList PsfOptions::read(const std::string& list, const ImageFileReader& image, ConvolutionOptions& common,
                           const std::function<void(const std::string&)>& warn) const {
  const std::vector<std::string> names = names_of(list);
  std::vector<Image> psfs;
  for (const std::string& name : names) {
    Image psf = read_image(name);
    common.place(psf, image.shape());
    psf = at_voxels_of(image.metadata(), std::move(psf));
    if (const auto text = size_warning(image.metadata(), psf)) warn(name + ": " + *text);
    psfs.push_back(std::move(psf));
  }
  crop(psfs, common.choices.origin);
  return joined("PSF", psfs, names);
}

Image PsfOptions::at_voxels_of(const ImageMetadata& image, Image psf) const {
  if (!voxel_size) return psf;
  if (!image.voxel_size) {
    throw CLI::ValidationError("--psf-voxel-size",
                               "the image does not say how large its voxels are; give --voxel-size, too");
  }
  const auto step = steps(*image.voxel_size, *voxel_size, psf.shape);
  if (std::ranges::any_of(step, [](double ratio) { return !std::isfinite(ratio); })) {
    throw CLI::ValidationError("--psf-voxel-size", fmt::format("{} cannot be compared with the image's {}",
                                                               to_text(*voxel_size), to_text(*image.voxel_size)));
  }
  Image resampled = resample_psf(psf.view(), step);
  resampled.metadata = std::move(psf.metadata);
  resampled.metadata.voxel_size = image.voxel_size;
  return resampled;
}

std::optional<std::string> PsfOptions::size_warning(const ImageMetadata& image, const Image& psf) const {
  if (voxel_size || !image.voxel_size || !psf.metadata.voxel_size) return std::nullopt;
  const auto step = steps(*image.voxel_size, *psf.metadata.voxel_size, psf.shape);
  const bool differ = std::ranges::any_of(step, [](double ratio) { return std::isfinite(ratio) && ratio != 1; });
  if (!differ) return std::nullopt;
  const VoxelSize& size = *psf.metadata.voxel_size;
  return fmt::format(
      "the PSF's voxels are {}, the image's {}; --psf-voxel-size {:g},{:g},{:g},{} brings the PSF to the "
      "image's",
      to_text(size), to_text(*image.voxel_size), size.z, size.y, size.x, size.unit);
}

void PsfOptions::crop(std::vector<Image>& psfs, Origin& origin) const {
  if (energy == 1) return;
  try {
    std::optional<Box> box;
    for (const Image& psf : psfs) {
      if (psf.shape != psfs.front().shape) return;  // which is refused later
      const Box own = psf_box(psf.view(), origin_of(psf, origin), energy);
      box = box ? box_of_both(*box, own) : own;
    }
    for (Image& psf : psfs) {
      Image part = cut_out(psf.view(), *box);
      part.metadata = std::move(psf.metadata);
      psf = std::move(part);
    }
    if (origin.rule != Origin::Rule::at) return;
    for (int axis = 0; axis < 3; ++axis) origin.index[axis] -= box->begin[axis];
  } catch (const OutOfMemory&) {  // which is no fault of the option
    throw;
  } catch (const Error& error) {
    throw CLI::ValidationError("--psf-crop", error.what());
  }
}

}  // namespace convoy::cli
