#include "cli/run_picture.hpp"

#include <cmath>

#include "convoy/picture.hpp"

namespace convoy::cli {
namespace {

double z_scale_of(const ImageMetadata& metadata) {
  if (!metadata.voxel_size) return 1;
  const double scale = metadata.voxel_size->z / metadata.voxel_size->x;
  return scale > 0 && std::isfinite(scale) ? scale : 1;
}

}  // namespace

Image projections_of(const std::string& path, const OpenOptions& options, Index max_extent) {
  const auto images = open_images(path, options);
  PictureOptions picture;
  picture.gamma = 0.5;
  picture.z_scale = z_scale_of(images.front()->metadata());
  picture.max_extent = max_extent;
  return make_projection_picture(*images.front(), picture);
}

void write_run_picture(const std::string& path, const Image& before, const Image& after,
                       const std::vector<double>& curve) {
  std::vector<std::vector<Image>> rows{{before, after}};
  if (curve.size() > 1) {
    constexpr Index kHeight = 120;
    constexpr Index kNarrowest = 64;
    rows.push_back({make_curve_picture(curve, {1, kHeight, std::max(kNarrowest, arrange_pictures(rows).shape.x)})});
  }
  write_png(path, arrange_pictures(rows).view());
}

}  // namespace convoy::cli
