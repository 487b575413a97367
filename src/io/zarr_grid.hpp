// The chunks of a Zarr array, seen as those of images z, y, x.
#pragma once

#include <array>
#include <vector>

#include "io/zarr_array.hpp"

namespace convoy::io {

class ZarrGrid {
 public:
  /// Every axis has a letter of TCZYX of its own.
  ZarrGrid(ZarrArray array, const std::vector<FileAxis>& axes);

  const ZarrArray& array() const { return array_; }
  /// Of an image, and of a chunk's and a file's part of it; 1 on axes that the array does not have.
  const Shape& image() const { return image_; }
  const Shape& chunk() const { return chunk_; }
  const Shape& file() const { return file_; }

  /// The positions, in chunks, of all that a box touches.
  std::vector<Shape> touched(const Box& box) const;
  /// The voxels of an image that belong to the chunk at a position; at the array's end a chunk reaches beyond them.
  Box voxels_of(const Shape& position) const;
  /// Position of the chunk along the array's own axes.
  std::vector<Index> position_in_array(Index image, const Shape& position) const;
  /// A number of its own for every chunk.
  std::uint64_t number_of(Index image, const Shape& position) const;
  /// Where a voxel lies within its decoded chunk, in samples, and the distance to the next one along an axis.
  std::uint64_t index_of(Index image, Index z, Index y, Index x) const;
  std::uint64_t stride(int axis) const { return strides_[static_cast<std::size_t>(axis) + 2]; }

 private:
  static constexpr int kTime = 0;
  static constexpr int kChannel = 1;
  /// Position of the image along time or channel.
  Index place(Index image, int axis) const;

  ZarrArray array_;
  std::array<int, 5> axis_of_{-1, -1, -1, -1, -1};  // the array's axis that is t, c, z, y, x
  std::array<std::uint64_t, 5> strides_{};          // within a chunk, in samples
  Index num_channels_ = 1;
  Shape image_;
  Shape chunk_;
  Shape file_;
};

}  // namespace convoy::io
