// Chunks of an output that boxes have begun to fill: kept in memory until they are full, or too many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace convoy::io {

class OpenChunks {
 public:
  using Samples = std::vector<std::byte>;

  explicit OpenChunks(std::uint64_t max_bytes) : max_bytes_(max_bytes) {}

  struct Chunk {
    std::uint64_t number = 0;       ///< distinguishes chunks
    std::uint64_t num_voxels = 0;   ///< of the image
    std::function<Samples()> load;  ///< what the file holds already, or zeros
    std::function<void(const Samples&)> save;
  };

  /// Calls fill(samples) for the chunk, which `voxels` more voxels then fill, and saves it if it is full. Several
  /// threads may, also for one chunk. Saves others when together they exceed the most.
  void fill(const Chunk& chunk, std::uint64_t voxels, const std::function<void(Samples&)>& fill);
  /// Forgets the chunk: all of it is written anew.
  void forget(std::uint64_t number);
  /// Saves all chunks.
  void save_all();

 private:
  struct Open {
    Chunk chunk;
    std::mutex mutex;
    Samples samples;
    std::uint64_t filled_voxels = 0;
    bool loaded = false;
    bool closed = false;  // saved, and no longer to be filled
  };
  using Entry = std::shared_ptr<Open>;

  /// With what the lists take of memory: chunks may be smaller than that.
  static std::uint64_t bytes_of(const Open& open) { return open.samples.size() + kEntryBytes; }
  static constexpr std::uint64_t kEntryBytes = 512;

  Entry find_or_open(const Chunk& chunk);
  void close(const Entry& entry);
  void remove(const Entry& entry);
  Entry one_too_many();

  std::uint64_t max_bytes_;
  std::mutex mutex_;
  std::uint64_t held_bytes_ = 0;
  std::map<std::uint64_t, std::list<Entry>::iterator> places_;
  std::list<Entry> entries_;  // the most recently used first
};

}  // namespace convoy::io
