// Images in TIFF pages that must be decoded, strip by strip or tile by tile.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "io/piece_cache.hpp"
#include "io/stored_images.hpp"
#include "io/tiff_file.hpp"
#include "io/tiff_page.hpp"

namespace convoy::io {

/// Handles of one file, each with a current page, for threads that read at the same time.
class TiffHandles {
 public:
  TiffHandles(std::string path, std::uint64_t max_allocation_bytes)
      : path_(std::move(path)), max_allocation_bytes_(max_allocation_bytes) {}

  /// A handle that no other thread uses, at the page. Throws Error(io).
  std::unique_ptr<TiffFile> take(const TiffPage& page);
  void release(std::unique_ptr<TiffFile> handle);

 private:
  std::string path_;
  std::uint64_t max_allocation_bytes_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<TiffFile>> idle_;
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
