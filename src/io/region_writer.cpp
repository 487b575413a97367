#include "io/region_writer.hpp"

#include <algorithm>

#include "common/checksum.hpp"
#include "convoy/version.hpp"
#include "io/box.hpp"
#include "io/io_error.hpp"

namespace convoy::io {

namespace {

std::unique_ptr<Journal> journal_of(const std::string& path, const Shape& shape, Element element, Index num_images,
                                    const CreateOptions& options) {
  if (!options.resume) return nullptr;
  JobDescription job = options.job;
  job.emplace_back("output", fmt::format("{} images of {} {} zyx", num_images, to_text(shape), name(element)));
  job.emplace_back("convoy", CONVOY_VERSION);
  OutputFile probe(path);  // a folder that is missing is told as such, not as a journal that cannot be opened
  return std::make_unique<Journal>(journal_path(path), path, job, shape, num_images);
}

}  // namespace

RegionWriter::RegionWriter(const std::string& path, FileDesign design, const Shape& shape, Element element,
                           Index num_images, const CreateOptions& options)
    : journal_(journal_of(path, shape, element, num_images, options)),
      output_(path, options.resume ? OutputFile::Unfinished::kept : OutputFile::Unfinished::removed),
      layout_(std::move(design.layout)),
      shape_(shape),
      element_(element) {
  const bool continued = journal_ && !journal_->empty() && output_.size_bytes() == design.file_bytes;
  if (journal_ && !continued) journal_->forget();
  try {
    output_.reserve(design.file_bytes);
    output_.write_at(0, reinterpret_cast<const std::byte*>(design.header.data()), design.header.size());
    for (Index number = 0; number < num_images; ++number) parts_.emplace_back(*this, number);
  } catch (...) {
    discard_unless_written();
    throw;
  }
}

RegionWriter::~RegionWriter() { discard_unless_written(); }

/// A journal of no boxes helps nobody.
void RegionWriter::discard_unless_written() {
  if (!journal_ || !journal_->empty()) return;
  journal_->remove();
  output_.give_up();
}

ImageWriter& RegionWriter::image(Index number) {
  if (number >= 0 && number < static_cast<Index>(parts_.size())) return parts_[static_cast<std::size_t>(number)];
  throw Error(Errc::invalid_argument, fmt::format("{}: has {} images; there is no number {} (counted from 0)",
                                                  output_.path(), parts_.size(), number));
}

template <class Body>
void RegionWriter::for_each_run(Index image, const Box& box, Body body) const {
  const std::uint64_t row_bytes = static_cast<std::uint64_t>(box.size.x) * layout_.strides[2];
  const auto rows = static_cast<std::uint64_t>(box.size.y);
  const bool rows_adjoin = layout_.strides[1] == row_bytes || rows == 1;
  const std::uint64_t num_runs = rows_adjoin ? 1 : rows;
  const std::uint64_t run_bytes = rows * row_bytes / num_runs;
  for (Index z = box.begin.z; z < box.begin.z + box.size.z; ++z) {
    const std::uint64_t begin = layout_.plane_offset(image, z) +
                                static_cast<std::uint64_t>(box.begin.y) * layout_.strides[1] +
                                static_cast<std::uint64_t>(box.begin.x) * layout_.strides[2];
    for (std::uint64_t run = 0; run < num_runs; ++run) body(begin + run * layout_.strides[1], run_bytes);
  }
}

void RegionWriter::write(Index image, const Box& box, const std::byte* voxels) {
  require_inside(shape_, box);
  const std::byte* next = voxels;
  for_each_run(image, box, [&](std::uint64_t offset, std::uint64_t bytes) {
    output_.write_at(offset, next, bytes);
    next += bytes;
  });
  if (journal_) journal_->add(image, box, checksum_of(voxels, static_cast<std::uint64_t>(next - voxels)));
  written_voxels_ += count_of(box);
}

bool RegionWriter::holds(Index image, const Box& box) const {
  require_inside(shape_, box);
  return journal_ &&
         journal_->holds(image, box, [this](Index number, const Box& part) { return read_back(number, part); });
}

std::uint64_t RegionWriter::read_back(Index image, const Box& box) const {
  Checksum checksum;
  std::vector<std::byte> part;
  for_each_run(image, box, [&](std::uint64_t offset, std::uint64_t bytes) {
    constexpr std::uint64_t kMostAtOnce = std::uint64_t{1} << 20;
    for (std::uint64_t done = 0; done < bytes; done += part.size()) {
      part.resize(std::min(kMostAtOnce, bytes - done));
      output_.read_at(offset + done, part.data(), part.size());
      checksum.add(part.data(), part.size());
    }
  });
  return checksum.value();
}

void RegionWriter::commit() {
  const std::uint64_t wanted = parts_.size() * static_cast<std::uint64_t>(num_voxels(shape_));
  const std::uint64_t written =
      journal_ ? journal_->proven_voxels([this](Index number, const Box& part) { return read_back(number, part); })
               : written_voxels_.load();
  if (written < wanted)
    fail(output_.path(), "only {} of {} voxels are written; it cannot be finished", written, wanted);
  output_.commit();
  if (journal_) journal_->remove();
  journal_.reset();
}

}  // namespace convoy::io
