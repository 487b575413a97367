// A Zarr store that is being written: version 2, OME-NGFF 0.4.
#pragma once

#include <optional>
#include <string>

#include "io/chunk_files.hpp"
#include "io/open_chunks.hpp"
#include "io/output_folder.hpp"
#include "io/output_store.hpp"
#include "io/zarr_chunks.hpp"
#include "io/zarr_grid.hpp"

namespace convoy::io {

class ZarrOutput : public OutputStore {
 public:
  /// Chunks that are filled in part are kept in memory, up to cache_bytes.
  ZarrOutput(const std::string& path, OutputFile::Unfinished unfinished, const Shape& shape, Element element,
             const ImageMetadata& metadata, const CreateOptions& options);

  Shape chunk() const override { return grid_.chunk(); }
  bool can_continue() const override;
  void begin(bool continued) override;
  void write(Index image, const Box& box, const std::byte* voxels) override;
  void read(Index image, const Box& box, std::byte* voxels) const override;
  std::uint64_t cache_bytes() const override;
  void flush() override { open_chunks_.save_all(); }
  void commit() override;
  void give_up() override { folder_.give_up(); }

 private:
  void remove_damaged_chunks() const;
  void write_chunk(Index image, const Shape& position, const Box& box, const std::byte* voxels);
  OpenChunks::Samples load(const std::vector<Index>& position) const;
  void save(std::uint64_t number, const OpenChunks::Samples& samples);

  OutputFolder folder_;
  std::string name_;
  std::vector<FileAxis> axes_;
  std::optional<VoxelSize> voxel_size_;
  ZarrGrid grid_;
  ChunkFiles files_;
  std::uint64_t cache_bytes_;
  OpenChunks open_chunks_;
  std::optional<ZarrChunks> written_;  // what lies in the folder
};

}  // namespace convoy::io
