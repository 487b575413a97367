#include "io/tiff_pieces.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/box.hpp"
#include "io/workers.hpp"

namespace convoy::io {

std::unique_ptr<TiffFile> TiffHandles::take(const TiffPage& page) {
  std::unique_ptr<TiffFile> handle;
  {
    const std::lock_guard lock(mutex_);
    const auto at_page = std::find_if(idle_.begin(), idle_.end(), [&](const std::unique_ptr<TiffFile>& file) {
      return TIFFCurrentDirOffset(file->handle()) == page.directory_offset;
    });
    const auto taken = at_page != idle_.end() || idle_.empty() ? at_page : idle_.begin();
    if (taken != idle_.end()) {
      handle = std::move(*taken);
      idle_.erase(taken);
    }
  }
  if (!handle) handle = std::make_unique<TiffFile>(path_, path_, "rm", max_allocation_bytes_);
  if (TIFFCurrentDirOffset(handle->handle()) != page.directory_offset &&
      TIFFSetSubDirectory(handle->handle(), page.directory_offset) != 1) {
    handle->fail_with(fmt::format("page {} cannot be found", page.number));
  }
  return handle;
}

void TiffHandles::release(std::unique_ptr<TiffFile> handle) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(handle));
}

TiffPieces::TiffPieces(const std::string& path, std::uint64_t max_allocation_bytes, std::vector<TiffPage> pages,
                       ImageFacts facts, std::uint64_t cache_bytes)
    : StoredImages(std::move(facts)),
      pages_(std::move(pages)),
      handles_(path, max_allocation_bytes),
      cache_(cache_bytes) {}

void TiffPieces::read(Index image, const Box& box, std::byte* voxels) const {
  const std::uint64_t plane_bytes = static_cast<std::uint64_t>(box.size.y * box.size.x) * size_of(facts().element);
  const auto read_planes = [&](int, std::int64_t first, std::int64_t end) {
    for (std::int64_t z = first; z < end; ++z) {
      const Box plane{{0, box.begin.y, box.begin.x}, {1, box.size.y, box.size.x}};
      read_plane(static_cast<std::size_t>(image * facts().shape.z + box.begin.z + z), plane,
                 voxels + static_cast<std::uint64_t>(z) * plane_bytes);
    }
  };
  constexpr std::uint64_t kWorthwhileBytes = std::uint64_t{1} << 20;
  if (static_cast<std::uint64_t>(box.size.z) * plane_bytes < kWorthwhileBytes) return read_planes(0, 0, box.size.z);
  codec_workers().for_each(box.size.z, 1, read_planes);
}

PieceCache::Samples TiffPieces::decoded(std::size_t page_number, std::uint32_t piece, Index rows) const {
  const PieceCache::Key key{page_number, piece};
  if (PieceCache::Samples samples = cache_.find(key)) return samples;
  const TiffPage& page = pages_[page_number];
  const std::size_t bytes = static_cast<std::size_t>(rows * page.piece_x) * size_of(page.sample);
  const auto samples = std::make_shared<std::vector<std::byte>>(bytes);
  std::unique_ptr<TiffFile> handle = handles_.take(page);
  decode_piece(*handle, page, piece, rows, samples->data());
  handles_.release(std::move(handle));
  cache_.keep(key, samples);
  return samples;
}

void TiffPieces::read_plane(std::size_t page_number, const Box& plane, std::byte* voxels) const {
  const TiffPage& page = pages_[page_number];
  const Index pieces_per_row = (page.x + page.piece_x - 1) / page.piece_x;
  const std::size_t width = size_of(page.sample);
  const std::size_t voxel_bytes = size_of(facts().element);
  const Shape& begin = plane.begin;
  for (Index piece_y = begin.y / page.piece_y; piece_y * page.piece_y < begin.y + plane.size.y; ++piece_y) {
    for (Index piece_x = begin.x / page.piece_x; piece_x * page.piece_x < begin.x + plane.size.x; ++piece_x) {
      const Index rows = page.tiled ? page.piece_y : std::min(page.piece_y, page.y - piece_y * page.piece_y);
      const Box piece{{0, piece_y * page.piece_y, piece_x * page.piece_x}, {1, rows, page.piece_x}};
      const Box common = intersection(plane, piece);
      const auto samples = decoded(page_number, static_cast<std::uint32_t>(piece_y * pieces_per_row + piece_x), rows);
      for (Index y = common.begin.y; y < common.begin.y + common.size.y; ++y) {
        convert(page.sample, samples->data() + index_in(piece, 0, y, common.begin.x) * width,
                static_cast<std::uint64_t>(common.size.x),
                voxels + index_in(plane, 0, y, common.begin.x) * voxel_bytes);
      }
    }
  }
}

}  // namespace convoy::io
