// A TIFF stack, opened and checked, whose planes can be read one by one.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "convoy/io.hpp"
#include "io/input_file.hpp"
#include "io/tiff_description.hpp"
#include "io/tiff_file.hpp"
#include "io/tiff_page.hpp"

namespace convoy::io {

class TiffReader {
 public:
  /// Walks through all pages and throws Error(io) unless together they are one image that the file can hold.
  explicit TiffReader(const std::string& path);

  const Shape& shape() const { return shape_; }
  Element element() const { return element_for(pages_[0].sample); }
  const ImageMetadata& metadata() const { return metadata_; }
  /// Reads planes first .. first + count - 1 as voxels of element().
  void read_planes(Index first, Index count, std::byte* voxels);

 private:
  void collect_pages();
  void require_one_image(const StackDescription& stack) const;
  StackDescription describe_stack() const;
  void accept(const StackDescription& stack);
  void read_plane(Index plane, std::byte* samples);

  InputFile input_;
  TiffFile file_;
  std::vector<TiffPage> pages_;
  std::optional<std::uint64_t> planes_offset_;  // set when the planes follow one another with no directories between
  Shape shape_;
  ImageMetadata metadata_;
};

}  // namespace convoy::io
