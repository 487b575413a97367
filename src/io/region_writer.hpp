// Writes an image file whose layout is known beforehand, box by box.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "io/formats.hpp"
#include "io/journal.hpp"
#include "io/output_file.hpp"

namespace convoy::io {

class RegionWriter : public ImageFileWriter {
 public:
  RegionWriter(const std::string& path, FileDesign design, const Shape& shape, Element element, Index num_images,
               const CreateOptions& options);
  ~RegionWriter() override;

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
    bool holds(const Box& box) const override { return file_->holds(number_, box); }

   private:
    RegionWriter* file_;
    Index number_;
  };

  /// Calls body(offset in the file, bytes) for the runs of bytes that make up the box, in the order of its voxels.
  template <class Body>
  void for_each_run(Index image, const Box& box, Body body) const;
  void write(Index image, const Box& box, const std::byte* voxels);
  bool holds(Index image, const Box& box) const;
  void discard_unless_written();
  std::uint64_t read_back(Index image, const Box& box) const;

  std::unique_ptr<Journal> journal_;  // locked before the file is opened; null without resume
  OutputFile output_;
  VoxelLayout layout_;
  Shape shape_;
  Element element_;
  std::vector<Part> parts_;
  std::atomic<std::uint64_t> written_voxels_{0};
};

}  // namespace convoy::io
