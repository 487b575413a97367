#include "io/region_writer.hpp"

#include <algorithm>

#include "common/checksum.hpp"
#include "io/box.hpp"
#include "io/io_error.hpp"

namespace convoy::io {
namespace {

/// Sum of the checksums of a box's rows, so that it can be taken in any order: of `part`, a piece of whole rows.
std::uint64_t checksum_of_rows(const Box& box, const Box& part, std::size_t voxel_bytes, const std::byte* voxels) {
  const std::uint64_t row_bytes = static_cast<std::uint64_t>(box.size.x) * voxel_bytes;
  std::uint64_t sum = 0;
  for (Index z = part.begin.z; z < part.begin.z + part.size.z; ++z) {
    const std::uint64_t first_row =
        index_in(box, z, part.begin.y, box.begin.x) / static_cast<std::uint64_t>(box.size.x);
    for (std::uint64_t row = 0; row < static_cast<std::uint64_t>(part.size.y); ++row, voxels += row_bytes) {
      sum += checksum_of(voxels, row_bytes, first_row + row);
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

/// What may be continued is brought to the disk; a journal of no boxes helps nobody.
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
  store_->write(image, box, voxels);
  if (journal_) journal_->add(image, box, checksum_of_rows(box, box, size_of(element_), voxels));
  written_voxels_ += count_of(box);
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
  constexpr std::uint64_t kBytesAtOnce = std::uint64_t{4} << 20;
  const std::uint64_t row_bytes = static_cast<std::uint64_t>(box.size.x) * size_of(element_);
  const Shape chunk = store_->chunk();
  const auto rows = static_cast<Index>(std::max<std::uint64_t>(1, kBytesAtOnce / row_bytes));
  const Index step_y = chunk.z == 1 ? rows : chunk.y;
  std::vector<std::byte> voxels;
  std::uint64_t sum = 0;
  for (Index z = 0; z < box.size.z; z += chunk.z) {
    for (Index y = 0; y < box.size.y; y += step_y) {
      const Box part{{box.begin.z + z, box.begin.y + y, box.begin.x},
                     {std::min(chunk.z, box.size.z - z), std::min(step_y, box.size.y - y), box.size.x}};
      voxels.resize(count_of(part) * size_of(element_));
      store_->read(image, part, voxels.data());
      sum += checksum_of_rows(box, part, size_of(element_), voxels.data());
    }
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
