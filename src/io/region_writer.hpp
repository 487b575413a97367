// Writes an image file whose layout is known beforehand, box by box.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "io/formats.hpp"
#include "io/output_file.hpp"

namespace convoy::io {

class RegionWriter : public ImageFileWriter {
 public:
  RegionWriter(const std::string& path, FileDesign design, const Shape& shape, Element element, Index num_images);

  ImageWriter& image(Index number) override;
  void commit() override;

 private:
  /// One of the file's images.
  class Part : public ImageWriter {
   public:
    Part(RegionWriter& file, Index number) : file_(&file), number_(number) {}
    Shape shape() const override { return file_->shape_; }
    Element element() const override { return file_->element_; }
    Shape chunk() const override { return {1, file_->shape_.y, file_->shape_.x}; }
    void write(const Box& box, const std::byte* voxels) override { file_->write(number_, box, voxels); }

   private:
    RegionWriter* file_;
    Index number_;
  };

  void write(Index image, const Box& box, const std::byte* voxels);

  OutputFile output_;
  VoxelLayout layout_;
  Shape shape_;
  Element element_;
  std::vector<Part> parts_;
  std::atomic<std::uint64_t> written_voxels_{0};
};

}  // namespace convoy::io
