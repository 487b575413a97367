#include "io/voxel_output.hpp"

namespace convoy::io {
namespace {

/// Calls body(offset in the file, bytes) for the runs of bytes that make up the box, in the order of its voxels.
template <class Body>
void for_each_run(const VoxelLayout& layout, Index image, const Box& box, Body body) {
  const std::uint64_t row_bytes = static_cast<std::uint64_t>(box.size.x) * layout.strides[2];
  const auto rows = static_cast<std::uint64_t>(box.size.y);
  const bool rows_adjoin = layout.strides[1] == row_bytes || rows == 1;
  const std::uint64_t num_runs = rows_adjoin ? 1 : rows;
  const std::uint64_t run_bytes = rows * row_bytes / num_runs;
  for (Index z = box.begin.z; z < box.begin.z + box.size.z; ++z) {
    const std::uint64_t begin = layout.plane_offset(image, z) +
                                static_cast<std::uint64_t>(box.begin.y) * layout.strides[1] +
                                static_cast<std::uint64_t>(box.begin.x) * layout.strides[2];
    for (std::uint64_t run = 0; run < num_runs; ++run) body(begin + run * layout.strides[1], run_bytes);
  }
}

}  // namespace

VoxelOutput::VoxelOutput(const std::string& path, OutputFile::Unfinished unfinished, FileDesign design,
                         const Shape& shape)
    : file_(path, unfinished), design_(std::move(design)), shape_(shape) {}

void VoxelOutput::begin(bool) {
  file_.reserve(design_.file_bytes);
  file_.write_at(0, reinterpret_cast<const std::byte*>(design_.header.data()), design_.header.size());
}

void VoxelOutput::write(Index image, const Box& box, const std::byte* voxels) {
  for_each_run(design_.layout, image, box, [&](std::uint64_t offset, std::uint64_t bytes) {
    file_.write_at(offset, voxels, bytes);
    voxels += bytes;
  });
}

void VoxelOutput::read(Index image, const Box& box, std::byte* voxels) const {
  for_each_run(design_.layout, image, box, [&](std::uint64_t offset, std::uint64_t bytes) {
    file_.read_at(offset, voxels, bytes);
    voxels += bytes;
  });
}

}  // namespace convoy::io
