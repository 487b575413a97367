// Images in a Zarr store, read chunk by chunk.
#pragma once

#include <functional>

#include "io/piece_cache.hpp"
#include "io/stored_images.hpp"
#include "io/zarr_grid.hpp"

namespace convoy::io {

class ZarrImages : public StoredImages {
 public:
  /// The samples of a chunk; empty for one that is not there: all of it is the fill value.
  using ReadChunk = std::function<std::vector<std::byte>(Index image, const Shape& position)>;

  ZarrImages(ZarrGrid grid, ImageFacts facts, std::uint64_t cache_bytes, ReadChunk read_chunk);
  void read(Index image, const Box& box, std::byte* voxels) const override;

 private:
  /// Null for a chunk that is not there.
  PieceCache::Samples decoded(Index image, const Shape& position) const;
  void read_part(Index image, const Shape& position, const Box& box, std::byte* voxels) const;

  ZarrGrid grid_;
  ReadChunk read_chunk_;
  mutable PieceCache cache_;
  std::vector<std::byte> fill_voxel_;
};

}  // namespace convoy::io
