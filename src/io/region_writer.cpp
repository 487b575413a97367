#include "io/region_writer.hpp"

#include <algorithm>

#include "base/checksum.hpp"
#include "io/box.hpp"
#include "io/io_error.hpp"

namespace convoy::io {
namespace {

/// Of a box that the journal names: what it takes to read it back bounds the memory and, where a later box touches it,
/// the time for that.
constexpr std::uint64_t kPieceBytes = std::uint64_t{4} << 20;
/// So that the journal of a huge output stays short.
constexpr std::uint64_t kMostPieces = 1 << 16;

/// Sum of the checksums of a box's rows, so that it can be taken in any order: of `part`, a piece of whole rows.
/// `voxels` are those of `buffer`, which holds the part.
std::uint64_t checksum_of_rows(const Box& box, const Box& part, std::size_t voxel_bytes, const Box& buffer,
                               const std::byte* voxels) {
  const std::uint64_t row_bytes = static_cast<std::uint64_t>(box.size.x) * voxel_bytes;
  std::uint64_t sum = 0;
  for (Index z = part.begin.z; z < part.begin.z + part.size.z; ++z) {
    for (Index y = part.begin.y; y < part.begin.y + part.size.y; ++y) {
      const std::uint64_t row = index_in(box, z, y, box.begin.x) / static_cast<std::uint64_t>(box.size.x);
      sum += checksum_of(voxels + index_in(buffer, z, y, box.begin.x) * voxel_bytes, row_bytes, row);
    }
  }
  return sum;
}

}  // namespace

RegionWriter::RegionWriter(const std::string& path, std::unique_ptr<OutputStore> store,
                           std::unique_ptr<Journal> journal, const Shape& shape, Element element, Index num_images)
    : path_(path), journal_(std::move(journal)), store_(std::move(store)), shape_(shape), element_(element) {
  const bool continued = journal_ && !journal_->empty() && store_->can_continue();
  try {
    if (journal_ && !continued) journal_->forget();
    store_->begin(continued);
    for (Index number = 0; number < num_images; ++number) parts_.emplace_back(*this, number);
  } catch (...) {
    leave_unfinished();
    throw;
  }
}

RegionWriter::~RegionWriter() { leave_unfinished(); }

/// What may be continued is brought to the disk; a journal without boxes is of no use.
void RegionWriter::leave_unfinished() {
  if (!journal_) return;
  if (journal_->empty()) {
    journal_->remove();
    store_->give_up();
    return;
  }
  try {
    store_->flush();
  } catch (const Error&) {  // who continues finds out when the boxes are read back
  }
}

ImageWriter& RegionWriter::image(Index number) {
  if (number >= 0 && number < static_cast<Index>(parts_.size())) return parts_[static_cast<std::size_t>(number)];
  throw Error(Errc::invalid_argument,
              fmt::format("{}: has {} images; there is no number {} (counted from 0)", path_, parts_.size(), number));
}

void RegionWriter::write(Index image, const Box& box, const std::byte* voxels) {
  require_inside(shape_, box);
  if (journal_) journal_->make_room(image, box, read_back(), [this] { store_->flush(); });
  store_->write(image, box, voxels);
  if (journal_) note(image, box, voxels);
  written_voxels_ += count_of(box);
}

/// In pieces: a later run whose boxes are others reads back no more of them than they touch.
void RegionWriter::note(Index image, const Box& box, const std::byte* voxels) {
  const std::uint64_t all_voxels = saturating_product(parts_.size(), static_cast<std::uint64_t>(num_voxels(shape_)));
  const std::uint64_t most_voxels = std::max(kPieceBytes / size_of(element_), all_voxels / kMostPieces);
  for (const Box& piece : pieces_of(box, store_->grain(), most_voxels)) {
    journal_->add(image, piece, checksum_of_rows(piece, piece, size_of(element_), box, voxels));
  }
}

std::uint64_t RegionWriter::cache_bytes() const {
  if (!journal_) return store_->cache_bytes();
  const std::uint64_t grain_bytes = static_cast<std::uint64_t>(num_voxels(store_->grain())) * size_of(element_);
  return saturating_sum(store_->cache_bytes(), saturating_sum(kPieceBytes, grain_bytes));
}

bool RegionWriter::holds(Index image, const Box& box) const {
  require_inside(shape_, box);
  return journal_ && journal_->holds(image, box, read_back());
}

Journal::ReadBack RegionWriter::read_back() const {
  return [this](Index image, const Box& box) -> std::optional<std::uint64_t> {
    try {
      return checksum_in_store(image, box);
    } catch (const Error&) {
      return std::nullopt;
    }
  };
}

std::uint64_t RegionWriter::checksum_in_store(Index image, const Box& box) const {
  Shape grain = store_->grain();
  grain.x = box.begin.x + box.size.x;  // rows are not cut
  std::vector<std::byte> voxels;
  std::uint64_t sum = 0;
  for (const Box& part : pieces_of(box, grain, kPieceBytes / size_of(element_))) {
    voxels.resize(count_of(part) * size_of(element_));
    store_->read(image, part, voxels.data());
    sum += checksum_of_rows(box, part, size_of(element_), part, voxels.data());
  }
  return sum;
}

void RegionWriter::commit() {
  const std::uint64_t wanted = parts_.size() * static_cast<std::uint64_t>(num_voxels(shape_));
  const std::uint64_t written = journal_ ? journal_->proven_voxels(read_back()) : written_voxels_.load();
  if (written < wanted) fail(path_, "only {} of {} voxels are written; it cannot be finished", written, wanted);
  store_->commit();
  if (journal_) journal_->remove();
  journal_.reset();
}

}  // namespace convoy::io
