// Images in a Zarr store, read chunk by chunk.
#pragma once

#include "io/piece_cache.hpp"
#include "io/stored_images.hpp"
#include "io/zarr_grid.hpp"

namespace convoy::io {

class ZarrImages : public StoredImages {
 public:
  ZarrImages(ZarrGrid grid, ImageFacts facts, std::uint64_t cache_bytes);
  void read(Index image, const Box& box, std::byte* voxels) const override;

 private:
  /// Null for a chunk that is not there: all of it is the fill value.
  PieceCache::Samples decoded(Index image, const Shape& position) const;
  void read_chunk(Index image, const Shape& position, const Box& box, std::byte* voxels) const;

  ZarrGrid grid_;
  mutable PieceCache cache_;
  std::vector<std::byte> fill_voxel_;
};

/// The chunk's samples in the machine's byte order, or an empty vector if the file is not there. Throws Error(io).
std::vector<std::byte> read_chunk_file(const std::string& path, const ZarrArray& array);

}  // namespace convoy::io
