#include "io/voxel_file.hpp"

#include <algorithm>
#include <cstring>

#include "io/box.hpp"

namespace convoy::io {
namespace {

constexpr std::uint64_t kScratchBytes = std::uint64_t{1} << 20;

std::uint64_t bytes_of(std::uint64_t voxels, Sample sample) { return voxels * size_of(sample); }

}  // namespace

ImageFacts facts_of(const VoxelLayout& layout, const Shape& shape, ImageMetadata metadata) {
  ImageFacts facts;
  facts.shape = shape;
  facts.element = element_for(layout.sample);
  facts.metadata = std::move(metadata);
  int slowest = 0;
  for (int axis = 1; axis < 3; ++axis) {
    const bool slower = layout.planes.empty() && layout.strides[static_cast<std::size_t>(axis)] >
                                                     layout.strides[static_cast<std::size_t>(slowest)];
    if (shape[axis] > 1 && (slower || shape[slowest] == 1)) slowest = axis;
  }
  facts.chunk = shape;
  facts.chunk[slowest] = 1;
  return facts;
}

VoxelFile::VoxelFile(const std::string& path, VoxelLayout layout, ImageFacts facts)
    : StoredImages(std::move(facts)), file_(path), layout_(std::move(layout)) {}

/// Rows run along the axis of smallest stride; rows of the next axis may share a read.
struct VoxelFile::Rows {
  int along = 2;
  int next = 1;
  int last = 0;
  Index image = 0;
  std::uint64_t along_stride = 0;
  std::uint64_t next_stride = 0;
  std::uint64_t length = 0;      // voxels of a row
  std::uint64_t span_bytes = 0;  // from its first sample to its last
  std::uint64_t rows_per_read = 1;
  std::uint64_t voxel_stride = 1;  // of a row in the target, in voxels

  Rows(const VoxelLayout& layout, Index image_number, const Box& box) : image(image_number) {
    const auto slower = [&](int a, int b) { return layout.strides[a] > layout.strides[b]; };
    if (layout.planes.empty()) {
      if (slower(along, next)) std::swap(along, next);
      if (slower(next, last)) std::swap(next, last);
    }
    if (slower(along, next)) std::swap(along, next);
    along_stride = layout.strides[static_cast<std::size_t>(along)];
    next_stride = layout.strides[static_cast<std::size_t>(next)];
    length = static_cast<std::uint64_t>(box.size[along]);
    span_bytes = (length - 1) * along_stride + size_of(layout.sample);
    constexpr std::uint64_t kWorthwhileGap = 4;
    if (next_stride <= kWorthwhileGap * span_bytes) {
      rows_per_read =
          1 + (kScratchBytes - std::min(kScratchBytes, span_bytes)) / std::max<std::uint64_t>(1, next_stride);
    }
    voxel_stride = static_cast<std::uint64_t>(along == 2 ? 1 : along == 1 ? box.size.x : box.size.y * box.size.x);
  }
};

void VoxelFile::read(Index image, const Box& box, std::byte* voxels) const {
  const bool dense_rows =
      layout_.strides[2] == size_of(layout_.sample) && (layout_.strides[1] >= layout_.strides[2] || box.size.y == 1);
  const bool whole_rows = box.size.x == facts().shape.x || box.size.y == 1;
  if (is_stored_as_is(layout_.sample) && dense_rows && whole_rows) return read_as_is(image, box, voxels);
  read_rows(Rows(layout_, image, box), box, voxels);
}

void VoxelFile::read_as_is(Index image, const Box& box, std::byte* voxels) const {
  const std::uint64_t row_bytes = bytes_of(static_cast<std::uint64_t>(box.size.x), layout_.sample);
  const auto rows = static_cast<std::uint64_t>(box.size.y);
  const bool rows_adjoin = layout_.strides[1] == row_bytes || rows == 1;
  const std::uint64_t bytes_per_read = rows_adjoin ? rows * row_bytes : row_bytes;
  for (Index z = box.begin.z; z < box.begin.z + box.size.z; ++z) {
    std::uint64_t offset = layout_.plane_offset(image, z) +
                           static_cast<std::uint64_t>(box.begin.y) * layout_.strides[1] +
                           static_cast<std::uint64_t>(box.begin.x) * layout_.strides[2];
    for (std::uint64_t read = 0; read < rows * row_bytes; read += bytes_per_read, offset += layout_.strides[1]) {
      file_.read(offset, voxels, bytes_per_read);
      if (layout_.big_endian) swap_bytes(layout_.sample, voxels, bytes_per_read / size_of(layout_.sample));
      voxels += bytes_per_read;
    }
  }
}

void VoxelFile::take_row(const Rows& rows, std::byte* stored, std::byte* voxels) const {
  const std::size_t width = size_of(layout_.sample);
  if (rows.along_stride != width) {
    for (std::uint64_t i = 1; i < rows.length; ++i)
      std::memmove(stored + i * width, stored + i * rows.along_stride, width);
  }
  if (layout_.big_endian) swap_bytes(layout_.sample, stored, rows.length);
  if (rows.voxel_stride == 1) return convert(layout_.sample, stored, rows.length, voxels);
  const std::size_t voxel_bytes = size_of(facts().element);
  for (std::uint64_t i = 0; i < rows.length; ++i) {
    convert(layout_.sample, stored + i * width, 1, voxels + i * rows.voxel_stride * voxel_bytes);
  }
}

void VoxelFile::read_rows(const Rows& rows, const Box& box, std::byte* voxels) const {
  std::vector<std::byte> scratch;
  const auto step = static_cast<Index>(std::min<std::uint64_t>(rows.rows_per_read, INT64_MAX));
  const std::uint64_t voxel_bytes = size_of(facts().element);
  Shape at = box.begin;
  for (Index i = 0; i < box.size[rows.last]; ++i) {
    at[rows.last] = box.begin[rows.last] + i;
    for (Index first = 0; first < box.size[rows.next]; first += step) {
      at[rows.next] = box.begin[rows.next] + first;
      const Index count = std::min(step, box.size[rows.next] - first);
      const std::uint64_t bytes = static_cast<std::uint64_t>(count - 1) * rows.next_stride + rows.span_bytes;
      scratch.resize(bytes);
      file_.read(layout_.plane_offset(rows.image, at.z) + static_cast<std::uint64_t>(at.y) * layout_.strides[1] +
                     static_cast<std::uint64_t>(at.x) * layout_.strides[2],
                 scratch.data(), bytes);
      for (Index row = 0; row < count; ++row, ++at[rows.next]) {
        take_row(rows, scratch.data() + static_cast<std::uint64_t>(row) * rows.next_stride,
                 voxels + index_in(box, at.z, at.y, at.x) * voxel_bytes);
      }
    }
  }
}

}  // namespace convoy::io
