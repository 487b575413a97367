#include "io/shard_files.hpp"

#include <algorithm>
#include <span>

namespace convoy::io {

ShardFiles::ShardFiles(const ZarrArray& array, ChunkFiles& files, ReadWritten read_written, std::uint64_t max_bytes)
    : array_(array), files_(files), read_written_(std::move(read_written)), max_bytes_(max_bytes) {}

std::vector<Index> ShardFiles::position_of(std::uint64_t shard, std::uint64_t place) const {
  std::vector<Index> position = array_.file_position(shard);
  const std::vector<int>& order = array_.shards->order;
  for (std::size_t i = order.size(); i-- > 0;) {
    const auto axis = static_cast<std::size_t>(order[i]);
    const auto chunks = static_cast<std::uint64_t>(array_.chunks_per_file(axis));
    position[axis] = position[axis] * static_cast<Index>(chunks) + static_cast<Index>(place % chunks);
    place /= chunks;
  }
  return position;
}

bool ShardFiles::is_in_array(const std::vector<Index>& position) const {
  for (std::size_t axis = 0; axis < position.size(); ++axis) {
    if (position[axis] * array_.chunk[axis] >= array_.extents[axis]) return false;
  }
  return true;
}

std::uint64_t ShardFiles::num_chunks_of(std::uint64_t shard) const {
  const std::vector<Index> position = array_.file_position(shard);
  std::uint64_t count = 1;
  for (std::size_t axis = 0; axis < position.size(); ++axis) {
    const Index in_array = (array_.extents[axis] - 1) / array_.chunk[axis] + 1;
    const Index first = position[axis] * array_.chunks_per_file(axis);
    count *= static_cast<std::uint64_t>(std::min(array_.chunks_per_file(axis), in_array - first));
  }
  return count;
}

void ShardFiles::write(const std::vector<Index>& position, Bytes encoded) {
  const std::uint64_t shard = array_.file_number(position);
  bool full = false;
  {
    const std::lock_guard lock(mutex_);
    Waiting& waiting = waiting_[shard];
    Chunk& chunk = waiting.chunks[array_.place_in_file(position)];
    const std::uint64_t before = chunk ? chunk->size() : 0;
    waiting.bytes += encoded.size() - before;
    waiting_bytes_ += encoded.size() - before;
    chunk = std::make_shared<const Bytes>(std::move(encoded));
    full = waiting.chunks.size() == num_chunks_of(shard);
  }
  if (full) write_shard(shard);
  for (std::uint64_t largest = 0; one_too_many(largest);) write_shard(largest);
}

ShardFiles::Bytes ShardFiles::read(const std::vector<Index>& position) const {
  {
    const std::lock_guard lock(mutex_);
    const auto waiting = waiting_.find(array_.file_number(position));
    if (waiting != waiting_.end()) {
      const auto chunk = waiting->second.chunks.find(array_.place_in_file(position));
      if (chunk != waiting->second.chunks.end()) return *chunk->second;
    }
  }
  return read_written_(position);
}

/// The one of most bytes: to write it once more costs least for what it frees.
bool ShardFiles::one_too_many(std::uint64_t& shard) const {
  const std::lock_guard lock(mutex_);
  if (waiting_bytes_ <= max_bytes_) return false;
  const auto largest = std::max_element(waiting_.begin(), waiting_.end(), [](const auto& one, const auto& other) {
    return one.second.bytes < other.second.bytes;
  });
  shard = largest->first;
  return true;
}

void ShardFiles::write_shard(std::uint64_t shard) {
  const std::lock_guard one_writer(writing_[shard % writing_.size()]);
  std::map<std::uint64_t, Chunk> chunks;
  {
    const std::lock_guard lock(mutex_);
    const auto waiting = waiting_.find(shard);
    if (waiting == waiting_.end()) return;
    chunks = waiting->second.chunks;
  }
  write_chunks(shard, chunks);
  forget(shard, chunks);
}

/// In the order of the index, whatever the order in which they came: the same voxels make the same file.
void ShardFiles::write_chunks(std::uint64_t shard, const std::map<std::uint64_t, Chunk>& chunks) {
  files_.write(shard, [&](const OutputFolder::Append& append) {
    std::vector<std::uint64_t> index;
    std::uint64_t offset = 0;
    const auto add = [&](const Bytes& chunk) {
      const bool missing = chunk.empty();
      index.push_back(missing ? UINT64_MAX : offset);
      index.push_back(missing ? UINT64_MAX : chunk.size());
      if (!missing) append(chunk);
      offset += chunk.size();
    };
    const std::uint64_t num_places = array_.shards->num_chunks(array_.chunk);
    for (std::uint64_t place = 0; place < num_places; ++place) {
      const auto waiting = chunks.find(place);
      const std::vector<Index> position = position_of(shard, place);
      if (waiting != chunks.end()) {
        add(*waiting->second);
      } else {
        add(is_in_array(position) ? read_written_(position) : Bytes());
      }
    }
    const std::span<const std::byte> index_bytes = std::as_bytes(std::span(index));
    const std::uint32_t checksum = crc32c(index_bytes);
    append(index_bytes);
    append(std::as_bytes(std::span(&checksum, 1)));
  });
}

void ShardFiles::forget(std::uint64_t shard, const std::map<std::uint64_t, Chunk>& written) {
  const std::lock_guard lock(mutex_);
  Waiting& waiting = waiting_[shard];
  for (const auto& [place, chunk] : written) {
    const auto found = waiting.chunks.find(place);
    if (found == waiting.chunks.end() || found->second != chunk) continue;  // another one came meanwhile
    waiting.bytes -= chunk->size();
    waiting_bytes_ -= chunk->size();
    waiting.chunks.erase(found);
  }
  if (waiting.chunks.empty()) waiting_.erase(shard);
}

void ShardFiles::write_all() {
  for (;;) {
    std::uint64_t shard = 0;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.empty()) return;
      shard = waiting_.begin()->first;
    }
    write_shard(shard);
  }
}

}  // namespace convoy::io
