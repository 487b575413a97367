#include <algorithm>
#include <cmath>

#include "convoy/deconvolution.hpp"

namespace convoy::inline v0 {

void DeconvolutionReport::add(const DeconvolutionReport& other) {
  iterations = std::max(iterations, other.iterations);
  if (other.iterations > 0) stop_reason = other.stop_reason;
  if (curve.empty()) curve = other.curve;
  if (background == 0) background = other.background;
  if (dim_level == 0) dim_level = other.dim_level;
  elapsed_seconds += other.elapsed_seconds;
  iterating_seconds += other.iterating_seconds;
  peak_device_bytes = std::max(peak_device_bytes, other.peak_device_bytes);
  skipped_tiles += other.skipped_tiles;
  missing_voxels += other.missing_voxels;
  non_finite_voxels += other.non_finite_voxels;
  saturated_input_voxels += other.saturated_input_voxels;
  negative_voxels += other.negative_voxels;
  negative_sum += other.negative_sum;
  saturated_voxels += other.saturated_voxels;
  input_sum += other.input_sum;
  output_sum += other.output_sum;
  const auto squared_voxels = [](const SeamError& error) {
    return error.relative_l2 * error.relative_l2 * static_cast<double>(error.voxels);
  };
  const double squared = squared_voxels(seam) + squared_voxels(other.seam);
  seam.voxels += other.seam.voxels;
  if (seam.voxels > 0) seam.relative_l2 = std::sqrt(squared / static_cast<double>(seam.voxels));
  seam.largest_difference = std::max(seam.largest_difference, other.seam.largest_difference);
  psf = other.psf;
}

}  // namespace convoy::inline v0
