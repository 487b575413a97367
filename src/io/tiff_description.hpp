// What programs write into a TIFF's ImageDescription about the stack as a whole.
#pragma once

#include <optional>
#include <string>

#include "convoy/io.hpp"

namespace convoy::io {

struct StackDescription {
  std::string program;      ///< "ImageJ", "OME-TIFF" or "tifffile"; empty when the text is nobody's we know
  Index num_planes = 0;     ///< planes of the whole stack; 0: not told
  bool contiguous = false;  ///< a file with one page may hold all planes one behind the other
  Index num_channels = 1;
  Index num_frames = 1;
  Index num_series = 1;
  std::string extra_axes;  ///< shape of a stack with more than three axes, as text
  std::optional<VoxelSize> voxel_size;
};

/// `pixels_per_unit_x` and `_y` are the page's resolution tags (0: absent); ImageJ keeps its voxel size there.
StackDescription parse_description(const std::string& text, double pixels_per_unit_x, double pixels_per_unit_y);

/// ImageJ's description of a stack of z planes.
std::string imagej_description(const Shape& shape, const std::optional<VoxelSize>& voxel_size);

}  // namespace convoy::io
