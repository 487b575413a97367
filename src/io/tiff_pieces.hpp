// Images in TIFF pages that must be decoded, strip by strip or tile by tile.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "io/stored_images.hpp"
#include "io/tiff_file.hpp"
#include "io/tiff_page.hpp"

namespace convoy::io {

/// Handles of one file, each with a current page, for threads that read at the same time.
class TiffHandles {
 public:
  TiffHandles(std::string path, std::uint64_t max_allocation_bytes)
      : path_(std::move(path)), max_allocation_bytes_(max_allocation_bytes) {}

  /// A handle that nobody else uses, at the page. Throws Error(io).
  std::unique_ptr<TiffFile> take(const TiffPage& page);
  void give_back(std::unique_ptr<TiffFile> handle);

 private:
  std::string path_;
  std::uint64_t max_allocation_bytes_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<TiffFile>> idle_;
};

/// Decoded pieces, the least recently used of which go first.
class PieceCache {
 public:
  using Key = std::pair<std::size_t, std::uint32_t>;  // page, piece
  using Samples = std::shared_ptr<const std::vector<std::byte>>;

  explicit PieceCache(std::uint64_t max_bytes) : max_bytes_(max_bytes) {}
  /// Null if it is not there.
  Samples find(const Key& key);
  void keep(const Key& key, Samples samples);

 private:
  using Entries = std::list<std::pair<Key, Samples>>;  // the most recently used first

  std::uint64_t max_bytes_;
  std::uint64_t held_bytes_ = 0;
  std::mutex mutex_;
  Entries entries_;
  std::map<Key, Entries::iterator> places_;
};

class TiffPieces : public StoredImages {
 public:
  /// Plane z of image i is page i * shape.z + z.
  TiffPieces(const std::string& path, std::uint64_t max_allocation_bytes, std::vector<TiffPage> pages, ImageFacts facts,
             std::uint64_t cache_bytes);
  void read(Index image, const Box& box, std::byte* voxels) const override;

 private:
  void read_plane(std::size_t page_number, const Box& plane, std::byte* voxels) const;
  PieceCache::Samples decoded(std::size_t page_number, std::uint32_t piece, Index rows) const;

  std::vector<TiffPage> pages_;
  mutable TiffHandles handles_;
  mutable PieceCache cache_;
};

}  // namespace convoy::io
