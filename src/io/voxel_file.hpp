// Images whose voxels lie uncompressed in a file.
#pragma once

#include "io/input_file.hpp"
#include "io/stored_images.hpp"
#include "io/voxel_layout.hpp"

namespace convoy::io {

/// The facts of a layout: element and chunk from sample and strides.
ImageFacts facts_of(const VoxelLayout& layout, const Shape& shape, ImageMetadata metadata);

class VoxelFile : public StoredImages {
 public:
  /// The caller has checked that the file holds what the layout says.
  VoxelFile(const std::string& path, VoxelLayout layout, ImageFacts facts);
  void read(Index image, const Box& box, std::byte* voxels) const override;

 private:
  struct Rows;
  void read_as_is(Index image, const Box& box, std::byte* voxels) const;
  void read_rows(const Rows& rows, const Box& box, std::byte* voxels) const;
  void take_row(const Rows& rows, std::byte* stored, std::byte* voxels) const;

  InputFile file_;
  VoxelLayout layout_;
};

}  // namespace convoy::io
