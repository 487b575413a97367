#include "io/zarr_chunks.hpp"

#include <cstring>

#include "io/io_error.hpp"

namespace convoy::io {
namespace {

constexpr std::uint64_t kIndicesInHand = 16;

/// Where a chunk lies in its shard.
struct Place {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool is_missing() const { return offset == UINT64_MAX && length == UINT64_MAX; }
};

Place place_in(const std::vector<std::byte>& index, std::uint64_t number) {
  Place place;
  std::memcpy(&place, index.data() + number * sizeof(Place), sizeof(Place));
  return place;
}

/// Before memory is taken for the chunk.
void require_credible(const std::string& path, const ZarrArray& array, std::uint64_t stored_bytes) {
  const std::uint64_t bytes = array.chunk_bytes();
  std::uint64_t most = stored_bytes;
  for (const ByteCodec codec : array.codecs) {
    if (codec != ByteCodec::crc32c) most = saturating_product(most, kLargestChunkRatio);
  }
  if (stored_bytes > INT32_MAX || (!array.codecs.empty() && bytes > most)) {
    fail(path, "is damaged: {} bytes cannot be a chunk of {}", stored_bytes, bytes);
  }
}

}  // namespace

std::vector<std::byte> decode_chunk(const std::string& path, const ZarrArray& array, std::vector<std::byte> stored) {
  std::vector<std::byte> samples = decoded(path, array.codecs, std::move(stored), array.chunk_bytes());
  if (array.big_endian) swap_bytes(array.sample, samples.data(), array.chunk_samples());
  return samples;
}

std::vector<std::byte> decode_index(const std::string& path, const ZarrShards& shards, std::vector<std::byte> stored) {
  if (shards.has_checksum) stored.resize(without_checksum(path, stored).size());
  if (shards.big_endian) swap_bytes(Sample::f64, stored.data(), stored.size() / sizeof(std::uint64_t));
  return stored;
}

ZarrChunks::ZarrChunks(std::shared_ptr<const InputFolder> folder, ZarrArray array, Indices indices)
    : folder_(std::move(folder)), array_(std::move(array)), indices_(indices == Indices::kept ? cache_bytes() : 0) {}

std::uint64_t ZarrChunks::cache_bytes() const {
  return array_.shards ? saturating_product(kIndicesInHand, array_.shards->index_bytes(array_.chunk)) : 0;
}

std::string ZarrChunks::file_of(const std::vector<Index>& position) const {
  return array_.file_name(array_.file_position(array_.file_number(position)));
}

PieceCache::Samples ZarrChunks::index_of(const InputFile& shard, std::uint64_t number) const {
  if (PieceCache::Samples index = indices_.find({number, 0})) return index;
  const std::uint64_t bytes = array_.shards->index_bytes(array_.chunk);
  if (shard.size_bytes() < bytes) {
    fail(shard.path(), "is damaged: its {} bytes have no room for the index of a shard, {}", shard.size_bytes(), bytes);
  }
  std::vector<std::byte> stored(bytes);
  shard.read(array_.shards->index_first ? 0 : shard.size_bytes() - bytes, stored.data(), bytes);
  const auto index =
      std::make_shared<const std::vector<std::byte>>(decode_index(shard.path(), *array_.shards, std::move(stored)));
  indices_.keep({number, 0}, index);
  return index;
}

std::vector<std::byte> ZarrChunks::read_from_shard(const InputFile& shard, const std::vector<Index>& position) const {
  const std::uint64_t place_number = array_.place_in_file(position);
  const Place place = place_in(*index_of(shard, array_.file_number(position)), place_number);
  if (place.is_missing()) return {};
  if (place.offset > shard.size_bytes() || place.length > shard.size_bytes() - place.offset || place.length == 0) {
    fail(shard.path(), "is damaged: chunk {} of the shard is said to be {} bytes at {}; the file has {}", place_number,
         place.length, place.offset, shard.size_bytes());
  }
  require_credible(shard.path(), array_, place.length);
  std::vector<std::byte> stored(place.length);
  shard.read(place.offset, stored.data(), stored.size());
  return stored;
}

std::vector<std::byte> ZarrChunks::read_stored(const std::vector<Index>& position) const {
  const auto file = folder_->find_file(file_of(position));
  if (!file) return {};
  if (array_.shards) return read_from_shard(*file, position);
  require_credible(file->path(), array_, file->size_bytes());
  std::vector<std::byte> stored(file->size_bytes());
  file->read(0, stored.data(), stored.size());
  if (stored.empty()) fail(file->path(), "is damaged: it is empty");
  return stored;
}

std::vector<std::byte> ZarrChunks::read(const std::vector<Index>& position) const {
  std::vector<std::byte> stored = read_stored(position);
  if (stored.empty()) return stored;
  return decode_chunk(folder_->path_of(file_of(position)), array_, std::move(stored));
}

void ZarrChunks::read_all(const std::vector<Index>& file_position) const {
  std::vector<Index> position(file_position);
  for (std::size_t axis = 0; axis < position.size(); ++axis) position[axis] *= array_.chunks_per_file(axis);
  const std::vector<Index> first = position;
  for (std::size_t axis = 0; axis < position.size();) {
    if (axis == 0) read(position);
    const bool in_file = ++position[axis] < first[axis] + array_.chunks_per_file(axis);
    if (!in_file) position[axis] = first[axis];
    axis = in_file ? 0 : axis + 1;
  }
}

void ZarrChunks::require_never_there(const std::vector<Index>& position) const {
  const std::string name = file_of(position);
  const bool described = folder_->find_file(array_.version == 2 ? ".zarray" : "zarr.json") != nullptr;
  if (described && !folder_->has_changed_beside(name)) return;
  fail(folder_->path_of(name),
       "is not there, and the store was changed while it was read: files were deleted, or are still being written");
}

}  // namespace convoy::io
