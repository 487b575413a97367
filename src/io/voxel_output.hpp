// An output file whose layout is known beforehand.
#pragma once

#include "io/formats.hpp"
#include "io/output_file.hpp"
#include "io/output_store.hpp"

namespace convoy::io {

class VoxelOutput : public OutputStore {
 public:
  VoxelOutput(const std::string& path, OutputFile::Unfinished unfinished, FileDesign design, const Shape& shape);

  Shape chunk() const override { return {1, shape_.y, shape_.x}; }
  Shape grain() const override { return {1, 1, 1}; }
  bool can_continue() const override { return file_.size_bytes() == design_.file_bytes; }
  void begin(bool continued) override;
  void write(Index image, const Box& box, const std::byte* voxels) override;
  void read(Index image, const Box& box, std::byte* voxels) const override;
  void commit() override { file_.commit(); }
  void give_up() override { file_.give_up(); }

 private:
  OutputFile file_;
  FileDesign design_;
  Shape shape_;
};

}  // namespace convoy::io
