// TIFF as convoy writes it: little-endian, uncompressed, all directories before all voxels, so that every voxel's place
// is known beforehand. Source: TIFF revision 6.0 (Adobe, 1992), sections 2 and 8; BigTIFF (libtiff.gitlab.io/libtiff).
#include <tiff.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "convoy/version.hpp"
#include "io/formats.hpp"
#include "io/io_error.hpp"
#include "io/tiff_description.hpp"

namespace convoy::io {
namespace {

constexpr std::uint64_t kLargestClassicBytes = std::uint64_t{2} << 30;
constexpr std::uint64_t kLargestStripBytes = std::uint64_t{256} << 20;

/// The bytes of a file's beginning, written at the end or into gaps.
class LittleEndianBytes {
 public:
  std::uint64_t size() const { return bytes_.size(); }
  void append(std::uint64_t value, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) bytes_ += static_cast<char>(value >> (8 * i) & 0xFF);
  }
  void append(const std::string& text) { bytes_ += text; }
  void pad_to(std::uint64_t offset) { bytes_.resize(offset); }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

struct Entry {
  std::uint16_t tag = 0;
  std::uint16_t type = 0;
  std::uint64_t count = 1;
  std::uint64_t value = 0;  // or, where it does not fit into the entry, its place in the file
};

/// What every page's directory is made of.
struct Pages {
  bool big = false;
  Shape shape;
  Element element = Element::f32;
  std::uint64_t num_pages = 1;
  std::uint64_t rows_per_strip = 1;
  std::uint64_t num_strips = 1;
  std::uint64_t description_offset = 0;
  std::uint64_t description_bytes = 0;  // with the zero behind it; 0: none
  std::uint64_t software_offset = 0;
  std::uint64_t software_bytes = 0;
  std::uint64_t resolution_offset = 0;  // of x, then y
  std::uint64_t resolution_x = 0;       // 0: none
  std::uint64_t resolution_y = 0;
  std::uint16_t resolution_unit = RESUNIT_NONE;
  std::uint64_t labels_offset = 0;  // ImageJ's, of the first page: numbers of bytes, then the bytes
  std::uint64_t num_label_counts = 0;
  std::uint64_t label_bytes = 0;
  std::uint64_t first_directory = 0;
  std::uint64_t first_voxel = 0;

  std::uint64_t row_bytes() const { return static_cast<std::uint64_t>(shape.x) * size_of(element); }
  std::uint64_t page_bytes() const { return row_bytes() * static_cast<std::uint64_t>(shape.y); }
  std::size_t offset_width() const { return big ? 8 : 4; }
  bool has_resolution() const { return resolution_x > 0 || resolution_y > 0; }
  std::uint64_t num_entries(std::uint64_t page) const {
    return 12 + (description_bytes > 0 ? 1U : 0U) + (resolution_x > 0 ? 1U : 0U) + (resolution_y > 0 ? 1U : 0U) +
           (has_resolution() ? 1U : 0U) + (page == 0 && num_label_counts > 0 ? 2U : 0U);
  }
  /// Directory, link to the next one, and the strips' tables.
  std::uint64_t directory_bytes(std::uint64_t page) const {
    const std::uint64_t tables = num_strips > 1 ? 2 * num_strips * offset_width() : 0;
    return (big ? 8 + 20 * num_entries(page) + 8 : 2 + 12 * num_entries(page) + 4) + tables;
  }
  std::uint64_t directory_offset(std::uint64_t page) const {
    return first_directory + (page > 0 ? directory_bytes(0) + (page - 1) * directory_bytes(1) : 0);
  }
};

void require_writable_shape(const std::string& path, const Shape& shape, Index num_images) {
  constexpr Index kLargestExtent = INT32_MAX;
  constexpr Index kMostPages = 1 << 20;  // libtiff's own limit
  if (shape.y <= kLargestExtent && shape.x <= kLargestExtent && shape.z <= kMostPages / num_images) return;
  fail(path, "{} images of {} zyx do not fit a TIFF ({} planes of {} voxels an axis); write .npy", num_images,
       to_text(shape), kMostPages, kLargestExtent);
}

void append_entry(LittleEndianBytes& bytes, const Entry& entry, std::size_t offset_width) {
  bytes.append(entry.tag, 2);
  bytes.append(entry.type, 2);
  bytes.append(entry.count, offset_width);
  bytes.append(entry.value, offset_width);
}

std::vector<Entry> entries_of(const Pages& pages, std::uint64_t page) {
  constexpr std::uint64_t kFormats[] = {SAMPLEFORMAT_UINT, SAMPLEFORMAT_INT, SAMPLEFORMAT_IEEEFP,
                                        SAMPLEFORMAT_COMPLEXIEEEFP};  // by NumberKind
  const std::uint64_t sample_format = kFormats[static_cast<std::size_t>(facts_of(pages.element).kind)];
  const std::uint16_t offset_type = pages.big ? TIFF_LONG8 : TIFF_LONG;
  const std::uint64_t tables = pages.directory_offset(page + 1) - 2 * pages.num_strips * pages.offset_width();
  const bool several = pages.num_strips > 1;
  const std::uint64_t voxels = pages.first_voxel + page * pages.page_bytes();
  std::vector<Entry> entries{{TIFFTAG_SUBFILETYPE, TIFF_LONG, 1, 0},
                             {TIFFTAG_IMAGEWIDTH, TIFF_LONG, 1, static_cast<std::uint64_t>(pages.shape.x)},
                             {TIFFTAG_IMAGELENGTH, TIFF_LONG, 1, static_cast<std::uint64_t>(pages.shape.y)},
                             {TIFFTAG_BITSPERSAMPLE, TIFF_SHORT, 1, 8 * size_of(pages.element)},
                             {TIFFTAG_COMPRESSION, TIFF_SHORT, 1, COMPRESSION_NONE},
                             {TIFFTAG_PHOTOMETRIC, TIFF_SHORT, 1, PHOTOMETRIC_MINISBLACK}};
  if (pages.description_bytes > 0) {
    entries.push_back({TIFFTAG_IMAGEDESCRIPTION, TIFF_ASCII, pages.description_bytes, pages.description_offset});
  }
  entries.push_back({TIFFTAG_STRIPOFFSETS, offset_type, pages.num_strips, several ? tables : voxels});
  entries.push_back({TIFFTAG_SAMPLESPERPIXEL, TIFF_SHORT, 1, 1});
  entries.push_back({TIFFTAG_ROWSPERSTRIP, TIFF_LONG, 1, pages.rows_per_strip});
  entries.push_back({TIFFTAG_STRIPBYTECOUNTS, offset_type, pages.num_strips,
                     several ? tables + pages.num_strips * pages.offset_width() : pages.page_bytes()});
  const auto push_resolution = [&](std::uint16_t tag, std::uint64_t fraction, std::uint64_t offset) {
    if (fraction > 0) entries.push_back({tag, TIFF_RATIONAL, 1, pages.big ? fraction : offset});
  };
  push_resolution(TIFFTAG_XRESOLUTION, pages.resolution_x, pages.resolution_offset);
  push_resolution(TIFFTAG_YRESOLUTION, pages.resolution_y, pages.resolution_offset + 8);
  if (pages.has_resolution()) entries.push_back({TIFFTAG_RESOLUTIONUNIT, TIFF_SHORT, 1, pages.resolution_unit});
  entries.push_back({TIFFTAG_SOFTWARE, TIFF_ASCII, pages.software_bytes, pages.software_offset});
  entries.push_back({TIFFTAG_SAMPLEFORMAT, TIFF_SHORT, 1, sample_format});
  if (page == 0 && pages.num_label_counts > 0) {
    constexpr std::uint16_t kImagejCounts = 50838;
    constexpr std::uint16_t kImagejBytes = 50839;
    entries.push_back({kImagejCounts, TIFF_LONG, pages.num_label_counts, pages.labels_offset});
    entries.push_back({kImagejBytes, TIFF_BYTE, pages.label_bytes, pages.labels_offset + 4 * pages.num_label_counts});
  }
  return entries;
}

void append_directory(LittleEndianBytes& bytes, const Pages& pages, std::uint64_t page) {
  const std::vector<Entry> entries = entries_of(pages, page);
  bytes.append(entries.size(), pages.big ? 8 : 2);
  for (const Entry& entry : entries) append_entry(bytes, entry, pages.offset_width());
  const bool last = page + 1 == pages.num_pages;
  bytes.append(last ? 0 : pages.directory_offset(page + 1), pages.offset_width());
  if (pages.num_strips == 1) return;
  const std::uint64_t strip_bytes = pages.rows_per_strip * pages.row_bytes();
  const std::uint64_t voxels = pages.first_voxel + page * pages.page_bytes();
  for (std::uint64_t strip = 0; strip < pages.num_strips; ++strip) {
    bytes.append(voxels + strip * strip_bytes, pages.offset_width());
  }
  for (std::uint64_t strip = 0; strip < pages.num_strips; ++strip) {
    bytes.append(std::min(strip_bytes, pages.page_bytes() - strip * strip_bytes), pages.offset_width());
  }
}

/// 1 / size as TIFF's fraction of two 32 bit numbers, the numerator in the low half: the simplest that is 1 / size to
/// the precision of a double, else the closest that fits (by continued fractions).
std::uint64_t resolution_from(double size) {
  const double wanted = std::clamp(1 / size, 1.0 / UINT32_MAX, double{UINT32_MAX});
  std::uint64_t numerator = 1, denominator = 0, last_numerator = 0, last_denominator = 1;
  double rest = wanted;
  while (true) {
    const double whole = std::floor(rest);
    if (whole > UINT32_MAX) break;
    const auto factor = static_cast<std::uint64_t>(whole);
    const std::uint64_t next_numerator = factor * numerator + last_numerator;
    const std::uint64_t next_denominator = factor * denominator + last_denominator;
    if (next_numerator > UINT32_MAX || next_denominator > UINT32_MAX) break;
    last_numerator = std::exchange(numerator, next_numerator);
    last_denominator = std::exchange(denominator, next_denominator);
    const double reached = static_cast<double>(numerator) / static_cast<double>(denominator);
    if (std::abs(reached - wanted) <= 2e-16 * wanted || rest == whole) break;
    rest = 1 / (rest - whole);
  }
  if (numerator == 0 || denominator == 0) return 1 | std::uint64_t{UINT32_MAX} << 32;
  return numerator | denominator << 32;
}

std::string description_of(const std::string& path, const Shape& shape, Element element,
                           const ImageMetadata& metadata) {
  if (path.ends_with(".ome.tif") || path.ends_with(".ome.tiff")) return ome_description(shape, element, metadata);
  const bool needed = shape.z * metadata.num_images() > 1 || metadata.voxel_size || metadata.time_step ||
                      !metadata.plane_labels.empty() || !metadata.channel_names.empty();
  return needed ? imagej_description(shape, metadata) : std::string();
}

/// Sets what follows from the shape alone.
Pages pages_of(const Shape& shape, Element element, Index num_images, std::uint64_t description_bytes) {
  Pages pages;
  pages.shape = shape;
  pages.element = element;
  pages.num_pages = static_cast<std::uint64_t>(shape.z * num_images);
  const std::uint64_t rows = std::max<std::uint64_t>(1, kLargestStripBytes / pages.row_bytes());
  pages.rows_per_strip = std::min<std::uint64_t>(static_cast<std::uint64_t>(shape.y), rows);
  pages.num_strips = (static_cast<std::uint64_t>(shape.y) + pages.rows_per_strip - 1) / pages.rows_per_strip;
  pages.description_bytes = description_bytes;
  pages.big = saturating_product(pages.page_bytes(), pages.num_pages) > kLargestClassicBytes;
  return pages;
}

/// Of an OME-TIFF planes follow as the images do; in ImageJ's order the channels of a plane follow one another.
VoxelLayout layout_of(const Pages& pages, const ImageMetadata& metadata, bool ome) {
  const Index channels = metadata.num_channels.value_or(1);
  VoxelLayout layout = dense_layout(pages.shape, sample_for(pages.element), channels, pages.first_voxel);
  if (!ome) {
    layout.channel_stride = pages.page_bytes();
    layout.strides[0] = pages.page_bytes() * static_cast<std::uint64_t>(channels);
  }
  return layout;
}

}  // namespace

FileDesign design_tiff(const std::string& path, const Shape& shape, Element element, const ImageMetadata& metadata) {
  if (element == Element::bf16) {
    throw Error(
        Errc::invalid_argument,
        fmt::format("{}: TIFF has no type for bf16; take f16, f32, or a .zarr of version 3 (--ome-zarr 0.5)", path));
  }
  require_writable_shape(path, shape, metadata.num_images());
  const std::string description = description_of(path, shape, element, metadata);
  const std::string software = "convoy " CONVOY_VERSION;
  const std::optional<VoxelSize>& size = metadata.voxel_size;
  Pages pages = pages_of(shape, element, metadata.num_images(), description.empty() ? 0 : description.size() + 1);

  LittleEndianBytes bytes;
  bytes.append("II");
  bytes.append(pages.big ? 43 : 42, 2);
  if (pages.big) bytes.append(8, 4);  // bytes of an offset, and two zeros
  constexpr std::uint64_t kFirstText = 16;
  pages.description_offset = kFirstText;
  pages.software_offset = kFirstText + pages.description_bytes;
  pages.software_bytes = software.size() + 1;
  pages.resolution_offset = (pages.software_offset + pages.software_bytes + 7) / 8 * 8;
  if (size && size->x > 0) pages.resolution_x = resolution_from(size->x);
  if (size && size->y > 0) pages.resolution_y = resolution_from(size->y);
  if (size && size->unit == "cm") pages.resolution_unit = RESUNIT_CENTIMETER;
  if (size && size->unit == "inch") pages.resolution_unit = RESUNIT_INCH;
  const ImagejLabels labels = description.starts_with("ImageJ=") ? imagej_labels(shape, metadata) : ImagejLabels();
  pages.labels_offset = pages.resolution_offset + 16;
  pages.num_label_counts = labels.counts.size();
  pages.label_bytes = labels.bytes.size();
  pages.first_directory = (pages.labels_offset + 4 * pages.num_label_counts + pages.label_bytes + 7) / 8 * 8;
  constexpr std::uint64_t kPageOfMemory = 4096;
  const std::uint64_t directories_end = pages.directory_offset(pages.num_pages);
  pages.first_voxel = (directories_end + kPageOfMemory - 1) / kPageOfMemory * kPageOfMemory;

  bytes.append(pages.first_directory, pages.offset_width());
  bytes.pad_to(kFirstText);
  bytes.append(description);
  bytes.pad_to(pages.software_offset);
  bytes.append(software);
  bytes.pad_to(pages.resolution_offset);
  bytes.append(pages.resolution_x, 8);
  bytes.append(pages.resolution_y, 8);
  for (const std::uint32_t count : labels.counts) bytes.append(count, 4);
  bytes.append(labels.bytes);
  bytes.pad_to(pages.first_directory);
  for (std::uint64_t page = 0; page < pages.num_pages; ++page) append_directory(bytes, pages, page);
  bytes.pad_to(pages.first_voxel);
  const bool ome = description.starts_with("<?xml");
  return {bytes.take(), layout_of(pages, metadata, ome), pages.first_voxel + pages.num_pages * pages.page_bytes()};
}

}  // namespace convoy::io
