// A Zarr store that is being written: version 2, OME-NGFF 0.4.
#pragma once

#include <array>
#include <mutex>
#include <string>

#include "io/output_folder.hpp"
#include "io/output_store.hpp"
#include "io/zarr_grid.hpp"

namespace convoy::io {

class ZarrOutput : public OutputStore {
 public:
  ZarrOutput(const std::string& path, OutputFile::Unfinished unfinished, const Shape& shape, Element element,
             const ImageMetadata& metadata);

  Shape chunk() const override { return grid_.chunk(); }
  bool can_continue() const override;
  void begin(bool continued) override;
  void write(Index image, const Box& box, const std::byte* voxels) override;
  void read(Index image, const Box& box, std::byte* voxels) const override;
  void commit() override { folder_.commit(); }
  void give_up() override { folder_.give_up(); }

 private:
  void remove_damaged_chunks() const;
  void write_chunk(Index image, const Shape& position, const Box& box, const std::byte* voxels);
  std::vector<std::byte> chunk_to_fill(const std::string& path) const;
  std::mutex& lock_of(Index image, const Shape& position);

  OutputFolder folder_;
  std::string name_;
  std::vector<FileAxis> axes_;
  std::optional<VoxelSize> voxel_size_;
  ZarrGrid grid_;
  // A chunk that several boxes share is read, filled further and written again by one thread at a time.
  static constexpr std::size_t kNumLocks = 64;
  std::array<std::mutex, kNumLocks> locks_;
};

}  // namespace convoy::io
