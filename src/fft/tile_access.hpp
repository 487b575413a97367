// The caller's arrays, as the first pass of a tile reads and the last one writes them: no copy in between.
#pragma once

#include <array>

#include "base/boundary_rule.hpp"
#include "convoy/element.hpp"
#include "convoy/shape.hpp"

namespace convoy::inline v0 {

/// One axis of an array, and where tiles lie on it: tile t shows `count` voxels from begin + t * step on.
struct ArrayAxis {
  Index size = 1;         ///< voxels of the array
  Index stride = 1;       ///< from one to the next, in voxels
  bool reversed = false;  ///< the last one lies first
  Index num_tiles = 1;
  Index step = 0;
  Index begin = 0;
  Index count = 1;
  BoundaryRule rule;  ///< of positions outside the array, which only tiles that are read show

  /// Whether every tile lies within the array.
  bool is_inside() const { return begin >= 0 && begin + (num_tiles - 1) * step + count <= size; }
  bool operator==(const ArrayAxis&) const = default;
};

/// An array of `num_images` images, `image_stride` voxels apart, by device axis (0 is that of a tile's rows). Tiles are
/// numbered along axis 0 first, then 1, then 2, then image by image. With several kernels, each of which has an image
/// of its own here, as many images follow each other; a launch then has `batch` tiles of every kernel, those of one
/// kernel first, and counts tiles as if there were one kernel.
struct TileAccess {
  Element element = Element::f32;
  std::array<ArrayAxis, 3> axes;
  Index num_images = 1;
  Index image_stride = 0;
  bool images_reversed = false;
  /// 2: real and imaginary parts, side by side, of half as many complex images, counted as images one after the other;
  /// distances are counted in parts.
  Index num_parts = 1;
  Index num_kernels = 1;
  Index batch = 1;
  double outside = 0;                ///< what positions show that have no voxel
  bool replaces_non_finite = false;  ///< NaN and infinity are read as 0

  Index num_tiles_of_image() const { return axes[0].num_tiles * axes[1].num_tiles * axes[2].num_tiles; }
  Index num_tiles() const { return num_images * num_tiles_of_image(); }
  bool operator==(const TileAccess&) const = default;
};

}  // namespace convoy::inline v0
