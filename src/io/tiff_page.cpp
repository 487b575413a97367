#include "io/tiff_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "convoy/error.hpp"

namespace convoy::io {
namespace {

template <class T>
T tag_or_default(TIFF* tiff, std::uint32_t tag) {
  T value{};
  TIFFGetFieldDefaulted(tiff, tag, &value);
  return value;
}

std::optional<Sample> sample_of(std::uint16_t bits, std::uint16_t format) {
  const bool is_unsigned = format == SAMPLEFORMAT_UINT || format == SAMPLEFORMAT_VOID;
  if (format == SAMPLEFORMAT_IEEEFP && bits == 32) return Sample::f32;
  if (format == SAMPLEFORMAT_IEEEFP && bits == 64) return Sample::f64;
  if (bits == 8 && is_unsigned) return Sample::u8;
  if (bits == 16 && is_unsigned) return Sample::u16;
  if (bits == 32 && is_unsigned) return Sample::u32;
  if (bits == 8 && format == SAMPLEFORMAT_INT) return Sample::i8;
  if (bits == 16 && format == SAMPLEFORMAT_INT) return Sample::i16;
  if (bits == 32 && format == SAMPLEFORMAT_INT) return Sample::i32;
  return std::nullopt;
}

const char* format_name(std::uint16_t format) {
  switch (format) {
    case SAMPLEFORMAT_UINT:
      return "unsigned";
    case SAMPLEFORMAT_INT:
      return "signed";
    case SAMPLEFORMAT_IEEEFP:
      return "floating point";
    case SAMPLEFORMAT_COMPLEXINT:
    case SAMPLEFORMAT_COMPLEXIEEEFP:
      return "complex";
    default:
      return "undefined";
  }
}

void require_readable_codec(const TiffFile& file, Index number) {
  const auto compression = tag_or_default<std::uint16_t>(file.handle(), TIFFTAG_COMPRESSION);
  if (TIFFIsCODECConfigured(compression)) return;
  const TIFFCodec* codec = TIFFFindCODEC(compression);
  file.fail_with(fmt::format("page {} is compressed with method {} ({}), which this machine's libtiff does not have",
                             number, compression, codec != nullptr ? codec->name : "unknown"));
}

/// The most that a byte of compressed data can stand for; generous, to tell lies from good compression.
std::uint64_t largest_ratio(std::uint16_t compression) {
  switch (compression) {
    case COMPRESSION_NONE:
      return 1;
    case COMPRESSION_PACKBITS:
      return 64;
    case COMPRESSION_LZW:
    case COMPRESSION_DEFLATE:
    case COMPRESSION_ADOBE_DEFLATE:
      return 4096;
    default:
      return 65536;
  }
}

/// Bytes of all strips or tiles of the page, decoded. Tiles reach beyond the image's edges.
std::uint64_t decoded_bytes(TIFF* tiff, const TiffPage& page) {
  if (!TIFFIsTiled(tiff)) return page.plane_bytes();
  const std::uint64_t tile_y = tag_or_default<std::uint32_t>(tiff, TIFFTAG_TILELENGTH);
  const std::uint64_t tile_x = tag_or_default<std::uint32_t>(tiff, TIFFTAG_TILEWIDTH);
  if (tile_y == 0 || tile_x == 0) return UINT64_MAX;
  const std::uint64_t rows = (static_cast<std::uint64_t>(page.y) + tile_y - 1) / tile_y * tile_y;
  const std::uint64_t columns = (static_cast<std::uint64_t>(page.x) + tile_x - 1) / tile_x * tile_x;
  return saturating_product(saturating_product(rows, columns), size_of(page.sample));
}

/// Compares promises with the file before anything is allocated for them.
void require_plausible(const TiffFile& file, const TiffPage& page, std::uint64_t file_bytes) {
  TIFF* tiff = file.handle();
  const auto compression = tag_or_default<std::uint16_t>(tiff, TIFFTAG_COMPRESSION);
  const std::uint64_t promised = decoded_bytes(tiff, page);
  if (promised > saturating_product(file_bytes, largest_ratio(compression))) {
    file.fail_with(
        fmt::format("page {} claims {} ({} bytes), more than a file of {} bytes can hold: truncated or damaged",
                    page.number, page.to_text(), promised, file_bytes));
  }
  const std::uint32_t pieces = TIFFIsTiled(tiff) ? TIFFNumberOfTiles(tiff) : TIFFNumberOfStrips(tiff);
  if (pieces == 0 || pieces > file_bytes) {
    file.fail_with(
        fmt::format("page {} claims {} strips or tiles in a file of {} bytes", page.number, pieces, file_bytes));
  }
  for (std::uint32_t piece = 0; piece < pieces; ++piece) {
    const std::uint64_t end = saturating_sum(TIFFGetStrileOffset(tiff, piece), TIFFGetStrileByteCount(tiff, piece));
    if (end <= file_bytes) continue;
    file.fail_with(
        fmt::format("is truncated: page {} reaches to byte {}, the file has {}", page.number, end, file_bytes));
  }
}

void read_strips(const TiffFile& file, const TiffPage& page, std::byte* samples) {
  TIFF* tiff = file.handle();
  const std::uint64_t row_bytes = static_cast<std::uint64_t>(page.x) * size_of(page.sample);
  const Index rows_per_strip = std::min<Index>(page.y, tag_or_default<std::uint32_t>(tiff, TIFFTAG_ROWSPERSTRIP));
  if (rows_per_strip < 1) file.fail_with("has strips of no rows");
  std::uint32_t strip = 0;
  for (Index row = 0; row < page.y; row += rows_per_strip, ++strip) {
    const auto strip_bytes =
        static_cast<tmsize_t>(static_cast<std::uint64_t>(std::min(rows_per_strip, page.y - row)) * row_bytes);
    if (TIFFReadEncodedStrip(tiff, strip, samples, strip_bytes) != strip_bytes) {
      file.fail_with(fmt::format("strip {} of page {} cannot be read", strip, page.number));
    }
    samples += strip_bytes;
  }
}

void read_tiles(const TiffFile& file, const TiffPage& page, std::byte* samples) {
  TIFF* tiff = file.handle();
  const Index tile_y = tag_or_default<std::uint32_t>(tiff, TIFFTAG_TILELENGTH);
  const Index tile_x = tag_or_default<std::uint32_t>(tiff, TIFFTAG_TILEWIDTH);
  const std::size_t width = size_of(page.sample);
  std::vector<std::byte> tile_samples(static_cast<std::size_t>(TIFFTileSize(tiff)));
  std::uint32_t tile = 0;
  for (Index y = 0; y < page.y; y += tile_y) {
    for (Index x = 0; x < page.x; x += tile_x, ++tile) {
      const auto tile_bytes = static_cast<tmsize_t>(tile_samples.size());
      if (TIFFReadEncodedTile(tiff, tile, tile_samples.data(), tile_bytes) != tile_bytes) {
        file.fail_with(fmt::format("tile {} of page {} cannot be read", tile, page.number));
      }
      const std::size_t columns = static_cast<std::size_t>(std::min(tile_x, page.x - x));
      for (Index row = 0; row < std::min(tile_y, page.y - y); ++row) {
        std::memcpy(samples + static_cast<std::size_t>((y + row) * page.x + x) * width,
                    tile_samples.data() + static_cast<std::size_t>(row * tile_x) * width, columns * width);
      }
    }
  }
}

}  // namespace

std::string TiffPage::to_text() const { return fmt::format("{}x{} {}", y, x, name(sample)); }

TiffPage describe_page(const TiffFile& file, Index number, std::uint64_t file_bytes) {
  TIFF* tiff = file.handle();
  TiffPage page;
  page.number = number;
  page.directory_offset = TIFFCurrentDirOffset(tiff);
  page.y = tag_or_default<std::uint32_t>(tiff, TIFFTAG_IMAGELENGTH);
  page.x = tag_or_default<std::uint32_t>(tiff, TIFFTAG_IMAGEWIDTH);
  if (page.y < 1 || page.x < 1)
    file.fail_with(fmt::format("page {} is {}x{} and so has no voxels", number, page.y, page.x));
  const auto samples = tag_or_default<std::uint16_t>(tiff, TIFFTAG_SAMPLESPERPIXEL);
  if (samples != 1) {
    file.fail_with(fmt::format("page {} has {} samples per pixel ({}); {}: split the colours or channels first", number,
                               samples, samples == 3 || samples == 4 ? "colour" : "channels", kReadableSamples));
  }
  const auto bits = tag_or_default<std::uint16_t>(tiff, TIFFTAG_BITSPERSAMPLE);
  const auto format = tag_or_default<std::uint16_t>(tiff, TIFFTAG_SAMPLEFORMAT);
  const std::optional<Sample> sample = sample_of(bits, format);
  if (!sample) {
    file.fail_with(
        fmt::format("page {} holds {} bit {} samples; {}", number, bits, format_name(format), kReadableSamples));
  }
  if (tag_or_default<std::uint32_t>(tiff, TIFFTAG_IMAGEDEPTH) > 1) {
    file.fail_with(fmt::format("page {} is itself a volume; convoy reads one plane per page", number));
  }
  page.sample = *sample;
  page.compressed = tag_or_default<std::uint16_t>(tiff, TIFFTAG_COMPRESSION) != COMPRESSION_NONE;
  require_readable_codec(file, number);
  require_plausible(file, page, file_bytes);
  return page;
}

void read_page(const TiffFile& file, const TiffPage& page, std::byte* samples) {
  if (TIFFIsTiled(file.handle())) {
    read_tiles(file, page, samples);
  } else {
    read_strips(file, page, samples);
  }
}

}  // namespace convoy::io
