// A Zarr store that is being written: OME-Zarr 0.4, of version 2 and a file per chunk, or 0.5, of version 3 and shards.
#pragma once

#include <optional>
#include <string>

#include "io/chunk_files.hpp"
#include "io/open_chunks.hpp"
#include "io/output_folder.hpp"
#include "io/output_store.hpp"
#include "io/shard_files.hpp"
#include "io/zarr_chunks.hpp"
#include "io/zarr_grid.hpp"

namespace convoy::io {

class ZarrOutput : public OutputStore {
 public:
  /// Chunks that are filled in part, and encoded ones that wait for their shard, are kept in memory up to cache_bytes.
  ZarrOutput(const std::string& path, OutputFile::Unfinished unfinished, const Shape& shape, Element element,
             const ImageMetadata& metadata, const CreateOptions& options);

  Shape chunk() const override { return grid_.file(); }
  Shape grain() const override { return grid_.chunk(); }
  bool can_continue() const override;
  void begin(bool continued) override;
  void write(Index image, const Box& box, const std::byte* voxels) override;
  void read(Index image, const Box& box, std::byte* voxels) const override;
  std::uint64_t cache_bytes() const override;
  void flush() override;
  void commit() override;
  void give_up() override { folder_.give_up(); }

 private:
  void write_metadata();
  void remove_damaged_files() const;
  bool is_damaged(std::uint64_t file) const;
  void write_chunk(Index image, const Shape& position, const Box& box, const std::byte* voxels);
  OpenChunks::Samples load(const std::vector<Index>& position) const;
  void save(const std::vector<Index>& position, const OpenChunks::Samples& samples);
  std::vector<std::byte> read_chunk(const std::vector<Index>& position) const;

  OutputFolder folder_;
  std::string name_;
  std::vector<FileAxis> axes_;
  ImageMetadata metadata_;
  Element element_;
  ZarrGrid grid_;
  ChunkFiles files_;
  std::uint64_t cache_bytes_;
  OpenChunks open_chunks_;
  std::optional<ZarrChunks> written_;  // what lies in the folder
  std::optional<ShardFiles> shards_;   // of version 3
};

}  // namespace convoy::io
