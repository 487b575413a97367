// What is known of images beside their voxels.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "convoy/shape.hpp"

namespace convoy::inline v0 {

/// Distance between voxel centres along each axis, in `unit` ("micron", "nm" ...; empty when the file names none). 0
/// where the file does not say; files whose axes have different units are converted to that of x.
struct VoxelSize {
  double z = 1;
  double y = 1;
  double x = 1;
  std::string unit;
};

/// Time between one time point and the next, in `unit` ("s", "ms", "min" ...).
struct TimeStep {
  double length = 1;
  std::string unit = "s";
};

/// What a file says about its images beside their voxels. Time points and channels are images of their own, all of one
/// shape, the channels of a time point one behind the other. Readers fill it in; writers write all of it that the
/// format has a place for.
struct ImageMetadata {
  int num_axes = 3;  ///< of z, y, x, those the file has (1 to 3); .npy is written with as many, if the shape allows it
  std::optional<VoxelSize> voxel_size = {};
  std::optional<Index> num_times = {};     ///< extent of the time axis, if there is one
  std::optional<Index> num_channels = {};  ///< extent of the channel axis, if there is one
  std::optional<TimeStep> time_step = {};
  std::vector<std::string> channel_names = {};  ///< in UTF-8, one per channel; empty: the file names none
  /// ImageJ's slice labels, in UTF-8: one per plane, z fastest, then channel, then time; or empty. Written to TIFF
  /// files of ImageJ's kind that have as many planes.
  std::vector<std::string> plane_labels = {};
  /// Order of the file's axes, slowest first, as in "ZCYX", where a format has no order of its own (.npy). Writers of
  /// such formats keep it if it ends in YX, and else write T, C, Z, Y, X. Empty: T, C, Z, Y, X.
  std::string axes = {};
  /// What the reader found odd and did about it, as in "the spacing along z is -0.3; its absolute value is taken". Not
  /// written.
  std::vector<std::string> warnings = {};

  Index num_images() const { return num_times.value_or(1) * num_channels.value_or(1); }
};

}  // namespace convoy::inline v0
