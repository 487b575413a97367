// The options that make a PSF from a file ready for an image: its voxels, and how much of it is used.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/convolution_options.hpp"
#include "cli/image_list.hpp"
#include "convoy/image.hpp"
#include "convoy/io.hpp"
#include "convoy/metadata.hpp"
#include "convoy/spec.hpp"

namespace convoy::cli {

struct PsfOptions {
  std::optional<VoxelSize> voxel_size;
  double energy = 1;

  void add_to(CLI::App& command);
  /// The PSFs that `list` names, ready for the image: placed as --kernel-axes says, at its voxels, cut, with the origin
  /// counted from there. `warn` gets what files say that cannot be so.
  ImageList read(const std::string& list, const ImageFileReader& image, ConvolutionOptions& common,
                 const std::function<void(const std::string&)>& warn) const;

 private:
  /// With --psf-voxel-size, the PSF at the image's voxels. A usage error if the image does not say how large its are.
  Image at_voxels_of(const ImageMetadata& image, Image psf) const;
  /// A warning where files say that image and PSF have voxels of different sizes.
  std::optional<std::string> size_warning(const ImageMetadata& image, const Image& psf) const;
  /// With --psf-crop, all PSFs cut to one box, and the origin counted from it. A usage error if there is none to cut.
  void crop(std::vector<Image>& psfs, Origin& origin) const;
};

}  // namespace convoy::cli
