// Shards of an output, which boxes fill chunk by chunk: encoded chunks wait in memory until their shard is full, or
// there are too many. A shard that is not full is written with the chunks there are, and later once more with those
// that came.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "io/chunk_files.hpp"
#include "io/zarr_array.hpp"

namespace convoy::io {

class ShardFiles {
 public:
  using Bytes = std::vector<std::byte>;
  /// The bytes of a chunk in the shards that are written; empty if it is in none.
  using ReadWritten = std::function<Bytes(const std::vector<Index>& position)>;

  /// `array` and `files` must outlive this.
  ShardFiles(const ZarrArray& array, ChunkFiles& files, ReadWritten read_written, std::uint64_t max_bytes);

  /// The encoded chunk at a position, counted in chunks; it takes the place of one that was written before. Several
  /// threads may, not for one chunk.
  void write(const std::vector<Index>& position, Bytes encoded);
  /// The same chunk, whether it waits or is written; empty if it is neither.
  Bytes read(const std::vector<Index>& position) const;
  /// Writes all that waits.
  void write_all();

 private:
  using Chunk = std::shared_ptr<const Bytes>;
  struct Waiting {
    std::map<std::uint64_t, Chunk> chunks;  // by place in the shard
    std::uint64_t bytes = 0;
  };

  std::vector<Index> position_of(std::uint64_t shard, std::uint64_t place) const;
  bool is_in_array(const std::vector<Index>& position) const;
  std::uint64_t num_chunks_of(std::uint64_t shard) const;
  bool one_too_many(std::uint64_t& shard) const;
  void write_shard(std::uint64_t shard);
  void write_chunks(std::uint64_t shard, const std::map<std::uint64_t, Chunk>& chunks);
  void forget(std::uint64_t shard, const std::map<std::uint64_t, Chunk>& written);

  const ZarrArray& array_;
  ChunkFiles& files_;
  ReadWritten read_written_;
  std::uint64_t max_bytes_;
  std::array<std::mutex, 64> writing_;  // one for a shard, by the rest of its number
  mutable std::mutex mutex_;            // of what follows; never waits for the disk
  std::map<std::uint64_t, Waiting> waiting_;
  std::uint64_t waiting_bytes_ = 0;
};

}  // namespace convoy::io
