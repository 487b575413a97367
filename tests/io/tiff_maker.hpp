// Makes TIFF files through libtiff in every layout that files in the wild have.
#pragma once

#include <tiffio.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "convoy/image.hpp"
#include "files.hpp"

namespace convoy::test {

struct TiffLayout {
  const char* mode = "w";  ///< "wl", "wb", "w8", "w8b"
  int compression = COMPRESSION_NONE;
  int predictor = 1;
  std::uint32_t rows_per_strip = 0;  ///< 0: one strip
  std::uint32_t tile = 0;            ///< 0: strips
  int sample_format = 0;             ///< 0: as the voxels are
  std::string description = {};
  /// Called after the tags of each page are set, before its voxels.
  std::function<void(TIFF*, Index page)> more_tags = {};
};

inline void write_tiff_strips(TIFF* tiff, const std::byte* plane, const Shape& shape, std::size_t width,
                              std::uint32_t rows) {
  const std::size_t row_bytes = static_cast<std::size_t>(shape.x) * width;
  std::uint32_t strip = 0;
  for (Index y = 0; y < shape.y; y += rows, ++strip) {
    const auto count = static_cast<std::size_t>(std::min<Index>(rows, shape.y - y));
    std::vector<std::byte> copy(plane + static_cast<std::size_t>(y) * row_bytes,
                                plane + (static_cast<std::size_t>(y) + count) * row_bytes);
    REQUIRE(TIFFWriteEncodedStrip(tiff, strip, copy.data(), static_cast<tmsize_t>(copy.size())) > 0);
  }
}

inline void write_tiff_tiles(TIFF* tiff, const std::byte* plane, const Shape& shape, std::size_t width,
                             std::uint32_t tile) {
  std::uint32_t number = 0;
  for (Index y = 0; y < shape.y; y += tile) {
    for (Index x = 0; x < shape.x; x += tile, ++number) {
      std::vector<std::byte> copy(std::size_t{tile} * tile * width);
      for (Index row = 0; row < std::min<Index>(tile, shape.y - y); ++row) {
        std::memcpy(copy.data() + static_cast<std::size_t>(row) * tile * width,
                    plane + static_cast<std::size_t>((y + row) * shape.x + x) * width,
                    static_cast<std::size_t>(std::min<Index>(tile, shape.x - x)) * width);
      }
      REQUIRE(TIFFWriteEncodedTile(tiff, number, copy.data(), static_cast<tmsize_t>(copy.size())) > 0);
    }
  }
}

inline void make_tiff(const std::string& path, const ImageView& image, const TiffLayout& layout) {
  TIFF* tiff = TIFFOpen(path.c_str(), layout.mode);
  REQUIRE(tiff != nullptr);
  const std::size_t width = size_of(image.element);
  const bool is_float = image.element == Element::f32 || image.element == Element::f64;
  const auto rows = layout.rows_per_strip == 0 ? static_cast<std::uint32_t>(image.shape.y) : layout.rows_per_strip;
  for (Index z = 0; z < image.shape.z; ++z) {
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, static_cast<std::uint32_t>(image.shape.x));
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, static_cast<std::uint32_t>(image.shape.y));
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, static_cast<int>(8 * width));
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
    const int format = is_float ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT;
    TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, layout.sample_format == 0 ? format : layout.sample_format);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, layout.compression);
    if (layout.predictor != 1) TIFFSetField(tiff, TIFFTAG_PREDICTOR, layout.predictor);
    if (layout.tile == 0) {
      TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, rows);
    } else {
      TIFFSetField(tiff, TIFFTAG_TILEWIDTH, layout.tile);
      TIFFSetField(tiff, TIFFTAG_TILELENGTH, layout.tile);
    }
    if (z == 0 && !layout.description.empty()) TIFFSetField(tiff, TIFFTAG_IMAGEDESCRIPTION, layout.description.c_str());
    if (layout.more_tags) layout.more_tags(tiff, z);
    const auto* plane =
        static_cast<const std::byte*>(image.data) + static_cast<std::size_t>(z * image.shape.y * image.shape.x) * width;
    if (layout.tile == 0) {
      write_tiff_strips(tiff, plane, image.shape, width, rows);
    } else {
      write_tiff_tiles(tiff, plane, image.shape, width, layout.tile);
    }
    REQUIRE(TIFFWriteDirectory(tiff) == 1);
  }
  TIFFClose(tiff);
}

/// One entry of a hand-made directory; type 2 ASCII, 3 SHORT, 4 LONG.
struct Entry {
  std::uint16_t tag;
  std::uint16_t type;
  std::uint32_t value;
  std::uint32_t count = 1;
};

/// A classic TIFF of one directory at byte 8 and nothing else.
inline std::string hand_made(const std::vector<Entry>& entries, std::uint32_t next_directory = 0,
                             bool big_endian = false) {
  std::string bytes = big_endian ? std::string("MM\0*", 4) : std::string("II*\0", 4);
  const auto append = [&](std::uint32_t value, int width) {
    for (int i = 0; i < width; ++i) bytes += static_cast<char>(value >> (8 * (big_endian ? width - 1 - i : i)) & 0xFF);
  };
  append(8, 4);
  append(static_cast<std::uint32_t>(entries.size()), 2);
  for (const Entry& entry : entries) {
    append(entry.tag, 2);
    append(entry.type, 2);
    append(entry.count, 4);
    append(entry.value, entry.type == 3 ? 2 : 4);
    if (entry.type == 3) append(0, 2);
  }
  append(next_directory, 4);
  return bytes;
}

}  // namespace convoy::test
