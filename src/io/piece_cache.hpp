// Decoded pieces of files (strips, tiles, chunks), the least recently used of which go first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace convoy::io {

class PieceCache {
 public:
  using Key = std::pair<std::uint64_t, std::uint64_t>;
  using Samples = std::shared_ptr<const std::vector<std::byte>>;

  explicit PieceCache(std::uint64_t max_bytes) : max_bytes_(max_bytes) {}
  /// Null if it is not there.
  Samples find(const Key& key);
  void keep(const Key& key, Samples samples);

 private:
  /// With what the lists take of memory: pieces may be smaller than that.
  static std::uint64_t bytes_of(const Samples& samples) { return samples->size() + kEntryBytes; }
  static constexpr std::uint64_t kEntryBytes = 256;

  using Entries = std::list<std::pair<Key, Samples>>;  // the most recently used first

  std::uint64_t max_bytes_;
  std::uint64_t held_bytes_ = 0;
  std::mutex mutex_;
  Entries entries_;
  std::map<Key, Entries::iterator> places_;
};

}  // namespace convoy::io
