#include "io/region_writer.hpp"

#include "io/box.hpp"
#include "io/io_error.hpp"

namespace convoy::io {

RegionWriter::RegionWriter(const std::string& path, FileDesign design, const Shape& shape, Element element,
                           Index num_images)
    : output_(path), layout_(std::move(design.layout)), shape_(shape), element_(element) {
  output_.reserve(design.file_bytes);
  output_.write_at(0, reinterpret_cast<const std::byte*>(design.header.data()), design.header.size());
  for (Index number = 0; number < num_images; ++number) parts_.emplace_back(*this, number);
}

ImageWriter& RegionWriter::image(Index number) {
  if (number >= 0 && number < static_cast<Index>(parts_.size())) return parts_[static_cast<std::size_t>(number)];
  throw Error(Errc::invalid_argument, fmt::format("{}: has {} images; there is no number {} (counted from 0)",
                                                  output_.path(), parts_.size(), number));
}

void RegionWriter::write(Index image, const Box& box, const std::byte* voxels) {
  require_inside(shape_, box);
  const std::uint64_t row_bytes = static_cast<std::uint64_t>(box.size.x) * layout_.strides[2];
  const auto rows = static_cast<std::uint64_t>(box.size.y);
  const bool rows_adjoin = layout_.strides[1] == row_bytes || rows == 1;
  const std::uint64_t bytes_per_write = rows_adjoin ? rows * row_bytes : row_bytes;
  for (Index z = box.begin.z; z < box.begin.z + box.size.z; ++z) {
    std::uint64_t offset = layout_.plane_offset(image, z) +
                           static_cast<std::uint64_t>(box.begin.y) * layout_.strides[1] +
                           static_cast<std::uint64_t>(box.begin.x) * layout_.strides[2];
    for (std::uint64_t done = 0; done < rows * row_bytes; done += bytes_per_write, offset += layout_.strides[1]) {
      output_.write_at(offset, voxels, bytes_per_write);
      voxels += bytes_per_write;
    }
  }
  written_voxels_ += count_of(box);
}

void RegionWriter::commit() {
  const std::uint64_t wanted = parts_.size() * static_cast<std::uint64_t>(num_voxels(shape_));
  if (written_voxels_ < wanted) {
    fail(output_.path(), "only {} of {} voxels were written; the file is given up", written_voxels_.load(), wanted);
  }
  output_.commit();
}

}  // namespace convoy::io
