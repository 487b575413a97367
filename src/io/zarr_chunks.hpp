// The chunks of a Zarr array as they lie in its folder: a file each, or several in a shard.
#pragma once

#include <memory>
#include <vector>

#include "io/input_folder.hpp"
#include "io/piece_cache.hpp"
#include "io/zarr_array.hpp"

namespace convoy::io {

class ZarrChunks {
 public:
  /// Shards that are written anew while they are read have indices that are not kept.
  enum class Indices { kept, read_anew };

  ZarrChunks(std::shared_ptr<const InputFolder> folder, ZarrArray array, Indices indices = Indices::kept);

  /// Memory that is kept of the shards' indices.
  std::uint64_t cache_bytes() const;
  /// The samples of the chunk at a position, counted in chunks, in the machine's byte order; empty if it is not there:
  /// then all of it is the fill value. Several threads may. Throws Error(io), naming the file, for anything else.
  std::vector<std::byte> read(const std::vector<Index>& position) const;
  /// The bytes of the chunk as they are stored; empty likewise.
  std::vector<std::byte> read_stored(const std::vector<Index>& position) const;
  /// Decodes all chunks of the file at a position, counted in files, to find out whether one is damaged.
  void read_all(const std::vector<Index>& file_position) const;
  /// Throws Error(io) if the chunk's file was removed since the array was opened, as far as that can be seen.
  void require_never_there(const std::vector<Index>& position) const;

 private:
  std::string file_of(const std::vector<Index>& position) const;
  PieceCache::Samples index_of(const InputFile& shard, std::uint64_t number) const;
  std::vector<std::byte> read_from_shard(const InputFile& shard, const std::vector<Index>& position) const;

  std::shared_ptr<const InputFolder> folder_;
  ZarrArray array_;
  mutable PieceCache indices_;
};

/// The samples in the bytes that are stored of a chunk. Throws Error(io), naming `path`.
std::vector<std::byte> decode_chunk(const std::string& path, const ZarrArray& array, std::vector<std::byte> stored);

/// Offset and length of each chunk in the shard's index, in the machine's byte order. Throws Error(io), naming `path`,
/// if its checksum is another one.
std::vector<std::byte> decode_index(const std::string& path, const ZarrShards& shards, std::vector<std::byte> stored);

/// The array, with the separator that its files have: the other one if files have that alone; then `warning` says so.
/// Throws Error(io) if there is none of either, unless `may_be_empty`.
ZarrArray with_separator_found(const InputFolder& folder, const ZarrArray& array, bool may_be_empty,
                               std::string& warning);

}  // namespace convoy::io
