// Images that the caller reads and writes box by box, through callbacks.
#pragma once

#include "c_api/convert.hpp"
#include "convoy/stream.hpp"

namespace convoy::c_api {

class CallbackReader : public ImageReader {
 public:
  CallbackReader(const convoy_reader* reader, const char* what);
  Shape shape() const override { return shape_; }
  Element element() const override { return element_; }
  Shape chunk() const override { return chunk_; }
  void read(const Box& box, std::byte* voxels) const override;

 private:
  convoy_reader from_;
  std::string what_;
  Shape shape_, chunk_;
  Element element_;
};

class CallbackWriter : public ImageWriter {
 public:
  CallbackWriter(const convoy_writer* writer, const char* what);
  Shape shape() const override { return shape_; }
  Element element() const override { return element_; }
  Shape chunk() const override { return chunk_; }
  void write(const Box& box, const std::byte* voxels) override;

 private:
  convoy_writer from_;
  std::string what_;
  Shape shape_, chunk_;
  Element element_;
};

}  // namespace convoy::c_api
