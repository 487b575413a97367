// A volume as a picture to look at.
#pragma once

#include <vector>

#include "convoy/export.h"
#include "convoy/io.hpp"

namespace convoy::inline v0 {

struct PictureOptions {
  double gamma =
      1;  ///< grey = v^gamma, v from 0 (least) to 1 (largest), as matplotlib's PowerNorm; below 1 shows faint light
  double z_scale = 1;  ///< pixels per voxel along z
  /// Pixels along y and x at most: of larger images, squares of 2x2, 3x3 ... voxels become one pixel, their largest.
  Index max_extent = 1'000'000;
};

/// Maximum projections side by side, u8: on the left along z (y down, x across), on the right along x (y down, z
/// across), on one grey scale, with a white gap between. NaN counts as least. Throws Error(invalid_argument) for
/// options that are not above 0, and for complex images.
CONVOY_API Image make_projection_picture(const ImageView& image, const PictureOptions& options = {});
/// The same of an image that need not be in memory: chunk by chunk is. Blocks. Throws what the reader throws, too.
CONVOY_API Image make_projection_picture(const ImageReader& image, const PictureOptions& options = {});

/// Values as a curve in a frame, u8: the first on the left, the least at the bottom, on a logarithmic scale if all are
/// above 0. Values that are not finite are left out. `size` is {1, y, x}, at least 8 pixels each. Throws
/// Error(invalid_argument) for smaller ones.
CONVOY_API Image make_curve_picture(const std::vector<double>& values, const Shape& size);

/// Pictures (u8, z = 1) in rows, one row below the other, with white gaps between and white beside what is shorter.
/// Throws Error(invalid_argument) for what is no picture, and for none.
CONVOY_API Image arrange_pictures(const std::vector<std::vector<Image>>& rows);

}  // namespace convoy::inline v0
