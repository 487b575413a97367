// The images of an output, box by box: what is written is counted, and kept in a journal if it may be continued.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "io/journal.hpp"
#include "io/output_store.hpp"

namespace convoy::io {

class RegionWriter : public ImageFileWriter {
 public:
  /// `store` is where boxes go; `journal` is null if nothing is to be continued.
  RegionWriter(const std::string& path, std::unique_ptr<OutputStore> store, std::unique_ptr<Journal> journal,
               const Shape& shape, Element element, Index num_images);
  ~RegionWriter() override;

  ImageWriter& image(Index number) override;
  std::uint64_t cache_bytes() const override;
  void commit() override;

 private:
  /// One of the file's images.
  class Part : public ImageWriter {
   public:
    Part(RegionWriter& file, Index number) : file_(&file), number_(number) {}
    Shape shape() const override { return file_->shape_; }
    Element element() const override { return file_->element_; }
    Shape chunk() const override { return file_->store_->chunk(); }
    void write(const Box& box, const std::byte* voxels) override { file_->write(number_, box, voxels); }
    bool holds(const Box& box) const override { return file_->holds(number_, box); }

   private:
    RegionWriter* file_;
    Index number_;
  };

  void write(Index image, const Box& box, const std::byte* voxels);
  void note(Index image, const Box& box, const std::byte* voxels);
  bool holds(Index image, const Box& box) const;
  Journal::ReadBack read_back() const;
  std::uint64_t checksum_in_store(Index image, const Box& box) const;
  void leave_unfinished();

  std::string path_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<OutputStore> store_;
  Shape shape_;
  Element element_;
  std::vector<Part> parts_;
  std::atomic<std::uint64_t> written_voxels_{0};
};

}  // namespace convoy::io
