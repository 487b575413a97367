#include "io/tiff_reader.hpp"

#include <algorithm>

#include "io/formats.hpp"
#include "io/io_error.hpp"

namespace convoy::io {
namespace {

/// Room for libtiff's own tables, which grow with the file, and for its row buffers.
std::uint64_t allocation_ceiling(std::uint64_t file_bytes) {
  constexpr std::uint64_t kRowBuffers = 256U << 20;
  constexpr std::uint64_t kTableGrowth = 8;
  return saturating_sum(saturating_product(file_bytes, kTableGrowth), kRowBuffers) & INT64_MAX;
}

bool is_thumbnail(TIFF* tiff) {
  std::uint32_t kind = 0;
  return TIFFGetField(tiff, TIFFTAG_SUBFILETYPE, &kind) == 1 && (kind & FILETYPE_REDUCEDIMAGE) != 0;
}

}  // namespace

TiffReader::TiffReader(const std::string& path)
    : input_(path), file_(path, path, "rm", allocation_ceiling(input_.size_bytes())) {
  const StackDescription stack = describe_stack();
  collect_pages();
  require_one_image(stack);
  accept(stack);
}

void TiffReader::collect_pages() {
  Index number = 0;
  do {
    ++number;
    if (number > 1 && is_thumbnail(file_.handle())) continue;
    const TiffPage page = describe_page(file_, number, input_.size_bytes());
    if (!pages_.empty() && !page.same_kind(pages_[0])) {
      file_.fail_with(fmt::format("page {} is {}, but page 1 is {}; the pages of a stack must be alike", number,
                                  page.to_text(), pages_[0].to_text()));
    }
    pages_.push_back(page);
  } while (TIFFReadDirectory(file_.handle()) == 1);
  if (file_.failed()) file_.fail_with(fmt::format("is damaged or truncated after page {}", number));
}

StackDescription TiffReader::describe_stack() const {
  const char* text = nullptr;
  float per_unit_x = 0;
  float per_unit_y = 0;
  if (TIFFGetField(file_.handle(), TIFFTAG_IMAGEDESCRIPTION, &text) != 1 || text == nullptr) return {};
  TIFFGetField(file_.handle(), TIFFTAG_XRESOLUTION, &per_unit_x);
  TIFFGetField(file_.handle(), TIFFTAG_YRESOLUTION, &per_unit_y);
  return parse_description(text, per_unit_x, per_unit_y);
}

void TiffReader::require_one_image(const StackDescription& stack) const {
  const std::string& path = input_.path();
  if (stack.num_channels > 1 || stack.num_frames > 1) {
    fail(path,
         "is an {} stack of {} channels and {} time points; convoy reads one image: split it into single stacks first",
         stack.program, stack.num_channels, stack.num_frames);
  }
  if (stack.num_series != 1) {
    fail(path, "is an {} file of {} image series; convoy reads one image: save the one wanted by itself", stack.program,
         stack.num_series);
  }
  if (!stack.extra_axes.empty()) {
    fail(path, "holds an array of {}; convoy reads up to three axes (z, y, x): save one stack of it", stack.extra_axes);
  }
  const auto num_pages = static_cast<Index>(pages_.size());
  if (stack.program == "OME-TIFF" && stack.num_planes != num_pages) {
    fail(path, "is part of an OME-TIFF set: it names {} planes and holds {}; convoy reads images that are in one file",
         stack.num_planes, num_pages);
  }
}

void TiffReader::accept(const StackDescription& stack) {
  const bool follows_contiguously = stack.contiguous && stack.num_planes > 1 && pages_.size() == 1 &&
                                    !pages_[0].compressed && !TIFFIsTiled(file_.handle());
  const Index planes = follows_contiguously ? stack.num_planes : static_cast<Index>(pages_.size());
  const std::uint64_t bytes = saturating_product(pages_[0].plane_bytes(), static_cast<std::uint64_t>(planes));
  if (follows_contiguously) planes_offset_ = TIFFGetStrileOffset(file_.handle(), 0);
  const bool any_compressed =
      std::any_of(pages_.begin(), pages_.end(), [](const TiffPage& page) { return page.compressed; });
  if (!any_compressed && saturating_sum(planes_offset_.value_or(0), bytes) > input_.size_bytes()) {
    fail(input_.path(), "is truncated: {} planes of {} need {} bytes, the file has {}", planes, pages_[0].to_text(),
         bytes, input_.size_bytes());
  }
  shape_ = {planes, pages_[0].y, pages_[0].x};
  metadata_.num_axes = planes > 1 ? 3 : 2;
  metadata_.voxel_size = stack.voxel_size;
}

void TiffReader::read_plane(Index plane, std::byte* samples) {
  const TiffPage& page = pages_[planes_offset_ ? 0 : static_cast<std::size_t>(plane)];
  const std::uint64_t bytes = page.plane_bytes();
  if (planes_offset_) {
    input_.read(*planes_offset_ + static_cast<std::uint64_t>(plane) * bytes, samples, bytes);
    if (TIFFIsByteSwapped(file_.handle())) swap_bytes(page.sample, samples, bytes / size_of(page.sample));
    return;
  }
  if (TIFFCurrentDirOffset(file_.handle()) != page.directory_offset &&
      TIFFSetSubDirectory(file_.handle(), page.directory_offset) != 1) {
    file_.fail_with(fmt::format("plane {} cannot be found", plane));
  }
  read_page(file_, page, samples);
}

void TiffReader::read_planes(Index first, Index count, std::byte* voxels) {
  const Sample sample = pages_[0].sample;
  const std::uint64_t plane_voxels = static_cast<std::uint64_t>(shape_.y) * static_cast<std::uint64_t>(shape_.x);
  const std::uint64_t plane_voxel_bytes = plane_voxels * size_of(element());
  std::vector<std::byte> stored(is_stored_as_is(sample) ? 0 : plane_voxels * size_of(sample));
  for (Index plane = first; plane < first + count; ++plane, voxels += plane_voxel_bytes) {
    read_plane(plane, stored.empty() ? voxels : stored.data());
    if (!stored.empty()) convert(sample, stored.data(), plane_voxels, voxels);
  }
}

Image read_tiff(const std::string& path) {
  TiffReader reader(path);
  Image image = make_image_for(path, reader.shape(), reader.element());
  image.metadata = reader.metadata();
  reader.read_planes(0, reader.shape().z, image.bytes.data());
  return image;
}

}  // namespace convoy::io
