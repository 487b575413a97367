// What programs write into a TIFF's ImageDescription about the stack as a whole.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "convoy/io.hpp"
#include "io/axes.hpp"

namespace convoy::io {

/// Where an OME-TIFF says that planes lie: `count` of them from page `page` (counted from 0) on, the first being
/// time, channel, z.
struct PlaneRun {
  Index time = 0;
  Index channel = 0;
  Index z = 0;
  Index page = 0;
  Index count = 1;
};

struct StackDescription {
  std::string program;         ///< "ImageJ", "OME-TIFF" or "tifffile"; empty when the text is nobody's we know
  std::vector<FileAxis> axes;  ///< of the pages, slowest first; empty: not told
  std::vector<PlaneRun> runs;  ///< empty: the pages are in the order of the axes
  bool contiguous = false;     ///< a file with one page may hold all planes one behind the other
  Index num_series = 1;
  std::optional<VoxelSize> voxel_size;

  /// Product of the axes' extents.
  Index num_planes() const;
};

/// `pixels_per_unit_x` and `_y` are the page's resolution tags (0: absent); ImageJ keeps its voxel size there.
StackDescription parse_description(const std::string& text, double pixels_per_unit_x, double pixels_per_unit_y);

/// What ImageJ writes about images of these facts; channels of a plane follow one another, then z, then time.
std::string imagej_description(const Shape& shape, const ImageMetadata& metadata);

/// The XML of an OME-TIFF whose pages are in the order time, channel, z.
std::string ome_description(const Shape& shape, Element element, const ImageMetadata& metadata);

}  // namespace convoy::io
