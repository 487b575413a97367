// A volume as a picture to look at.
#pragma once

#include "convoy/io.hpp"

namespace convoy {

struct PictureOptions {
  double gamma =
      1;  ///< grey = v^gamma, v from 0 (least) to 1 (largest), as matplotlib's PowerNorm; below 1 shows faint light
  double z_scale = 1;  ///< pixels per voxel along z
};

/// Maximum projections side by side, u8: on the left along z (y down, x across), on the right along x (y down, z
/// across), on one grey scale, with a white gap between. NaN counts as least. Throws Error(invalid_argument) for
/// options that are not above 0.
Image make_projection_picture(const ImageView& image, const PictureOptions& options = {});

}  // namespace convoy
