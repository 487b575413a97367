#include <algorithm>

#include "convoy/version.hpp"
#include "io/formats.hpp"
#include "io/io_error.hpp"
#include "io/output_file.hpp"
#include "io/tiff_description.hpp"
#include "io/tiff_file.hpp"

namespace convoy::io {
namespace {

constexpr std::uint64_t kLargestClassicBytes = std::uint64_t{2} << 30;
constexpr std::uint64_t kLargestStripBytes = std::uint64_t{256} << 20;

struct PageLayout {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint32_t rows_per_strip = 0;
  std::uint64_t row_bytes = 0;
};

PageLayout layout_of(const std::string& path, const ImageView& image) {
  constexpr Index kLargestExtent = INT32_MAX;
  constexpr Index kMostPages = 1 << 20;  // libtiff's own limit
  if (image.shape.y > kLargestExtent || image.shape.x > kLargestExtent || image.shape.z > kMostPages) {
    fail(path, "an image of {} zyx does not fit a TIFF ({} planes of {} voxels an axis); write .npy",
         to_text(image.shape), kMostPages, kLargestExtent);
  }
  PageLayout layout;
  layout.width = static_cast<std::uint32_t>(image.shape.x);
  layout.height = static_cast<std::uint32_t>(image.shape.y);
  layout.row_bytes = layout.width * size_of(image.element);
  const std::uint64_t rows = std::max<std::uint64_t>(1, kLargestStripBytes / layout.row_bytes);
  layout.rows_per_strip = static_cast<std::uint32_t>(std::min<std::uint64_t>(layout.height, rows));
  return layout;
}

void set_tags(TIFF* tiff, const PageLayout& layout, Element element) {
  const bool is_float = element == Element::f32 || element == Element::f64;
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, layout.width);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, layout.height);
  TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, layout.rows_per_strip);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, static_cast<int>(8 * size_of(element)));
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
  TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, is_float ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
}

void set_stack_tags(TIFF* tiff, const Shape& shape, const std::optional<VoxelSize>& voxel_size) {
  TIFFSetField(tiff, TIFFTAG_SOFTWARE, "convoy " CONVOY_VERSION);
  if (shape.z > 1 || voxel_size) {
    TIFFSetField(tiff, TIFFTAG_IMAGEDESCRIPTION, imagej_description(shape, voxel_size).c_str());
  }
  if (voxel_size && voxel_size->x > 0 && voxel_size->y > 0) {
    TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_NONE);
    TIFFSetField(tiff, TIFFTAG_XRESOLUTION, 1 / voxel_size->x);
    TIFFSetField(tiff, TIFFTAG_YRESOLUTION, 1 / voxel_size->y);
  }
}

void write_page(const TiffFile& file, const PageLayout& layout, const std::byte* voxels) {
  std::uint32_t strip = 0;
  for (std::uint32_t row = 0; row < layout.height; row += layout.rows_per_strip, ++strip) {
    const std::uint64_t bytes = std::min(layout.rows_per_strip, layout.height - row) * layout.row_bytes;
    auto* strip_voxels = const_cast<std::byte*>(voxels + row * layout.row_bytes);  // libtiff reads it only
    if (TIFFWriteEncodedStrip(file.handle(), strip, strip_voxels, static_cast<tmsize_t>(bytes)) < 0) {
      file.fail_with("cannot be written");
    }
  }
  if (TIFFWriteDirectory(file.handle()) != 1) file.fail_with("cannot be written");
}

}  // namespace

void write_tiff(const std::string& path, const ImageView& image, const ImageMetadata& metadata) {
  const PageLayout layout = layout_of(path, image);
  const std::uint64_t plane_bytes = layout.row_bytes * layout.height;
  const bool big = saturating_product(plane_bytes, static_cast<std::uint64_t>(image.shape.z)) > kLargestClassicBytes;
  OutputFile output(path);
  TiffFile file(output.temporary_path(), path, big ? "w8" : "w", 0);
  const auto* voxels = static_cast<const std::byte*>(image.data);
  for (Index z = 0; z < image.shape.z; ++z) {
    set_tags(file.handle(), layout, image.element);
    if (z == 0) set_stack_tags(file.handle(), image.shape, metadata.voxel_size);
    write_page(file, layout, voxels + static_cast<std::uint64_t>(z) * plane_bytes);
  }
  file.close();
  output.commit();
}

}  // namespace convoy::io
