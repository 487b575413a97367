#include "io/tiff_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "convoy/error.hpp"
#include "io/tiff_tags.hpp"

namespace convoy::io {
namespace {

template <class T>
T tag_or_default(TIFF* tiff, std::uint32_t tag) {
  T value{};
  TIFFGetFieldDefaulted(tiff, tag, &value);
  return value;
}

std::optional<Sample> sample_of(std::uint16_t bits, std::uint16_t format) {
  if (format == SAMPLEFORMAT_COMPLEXIEEEFP) return sample_named("c" + std::to_string(bits));
  const bool is_unsigned = format == SAMPLEFORMAT_UINT || format == SAMPLEFORMAT_VOID;
  if (!is_unsigned && format != SAMPLEFORMAT_INT && format != SAMPLEFORMAT_IEEEFP) return std::nullopt;
  if (bits == 1) return is_unsigned ? std::optional(Sample::u8) : std::nullopt;
  const char letter = is_unsigned ? 'u' : format == SAMPLEFORMAT_INT ? 'i' : 'f';
  return sample_named(letter + std::to_string(bits));
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

/// The most that a byte of compressed data can stand for; generous, so that good compression is not taken for a damaged
/// file.
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
std::uint64_t decoded_bytes(const TiffPage& page) {
  if (!page.tiled) return saturating_product(static_cast<std::uint64_t>(page.y), page.stored_row_bytes());
  const auto rows = static_cast<std::uint64_t>((page.y + page.piece_y - 1) / page.piece_y * page.piece_y);
  const auto tiles = static_cast<std::uint64_t>((page.x + page.piece_x - 1) / page.piece_x);
  return saturating_product(rows, saturating_product(tiles, page.stored_row_bytes()));
}

/// Compares promises with the file before anything is allocated for them.
void require_plausible(const TiffFile& file, const TiffPage& page, std::uint64_t file_bytes) {
  TIFF* tiff = file.handle();
  const auto compression = tag_or_default<std::uint16_t>(tiff, TIFFTAG_COMPRESSION);
  const std::uint64_t promised = decoded_bytes(page);
  if (promised > saturating_product(file_bytes, largest_ratio(compression))) {
    file.fail_with(
        fmt::format("page {} claims {} ({} bytes), more than a file of {} bytes can hold: truncated or damaged",
                    page.number, page.to_text(), promised, file_bytes));
  }
  const std::uint32_t pieces = page.tiled ? TIFFNumberOfTiles(tiff) : TIFFNumberOfStrips(tiff);
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

/// The offset of the first strip if all strips follow one another and hold plain rows.
std::optional<std::uint64_t> plain_voxels_offset(TIFF* tiff, const TiffPage& page) {
  const bool reversed_bits = tag_or_default<std::uint16_t>(tiff, TIFFTAG_FILLORDER) == FILLORDER_LSB2MSB;
  if (page.compressed || page.tiled || reversed_bits || page.bits) return std::nullopt;
  const std::uint64_t begin = TIFFGetStrileOffset(tiff, 0);
  std::uint64_t end = begin;
  std::uint32_t strip = 0;
  for (Index row = 0; row < page.y; row += page.piece_y, ++strip) {
    const auto rows = static_cast<std::uint64_t>(std::min(page.piece_y, page.y - row));
    const bool follows = TIFFGetStrileOffset(tiff, strip) == end;
    if (!follows || TIFFGetStrileByteCount(tiff, strip) < rows * page.row_bytes()) return std::nullopt;
    end += rows * page.row_bytes();
  }
  return begin;
}

/// The predictor of a codec that has none in libtiff, which then passes over the tag. Only PackBits is written with
/// one.
std::uint16_t foreign_predictor(const TiffFile& file, const InputFile& input, Index number, std::uint16_t compression) {
  if (compression != COMPRESSION_PACKBITS) return PREDICTOR_NONE;
  const TiffTags tags(input, TIFFCurrentDirOffset(file.handle()));
  if (!tags.has(TIFFTAG_PREDICTOR)) return PREDICTOR_NONE;
  const std::vector<std::uint64_t> values = tags.integers(TIFFTAG_PREDICTOR, 1);
  if (values.size() == 1 && values[0] >= PREDICTOR_NONE && values[0] <= PREDICTOR_FLOATINGPOINT) {
    return static_cast<std::uint16_t>(values[0]);
  }
  file.fail_with(fmt::format("page {} has a predictor that convoy does not know", number));
}

template <class Number>
void add_up(std::byte* row, std::size_t count) {
  Number sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Number value{};
    std::memcpy(&value, row + i * sizeof value, sizeof value);
    sum = static_cast<Number>(sum + value);
    std::memcpy(row + i * sizeof sum, &sum, sizeof sum);
  }
}

/// The bytes of all samples of a row, most significant first, each kind in a run of its own.
void gather_bytes(std::byte* row, std::size_t count, std::size_t width) {
  add_up<std::uint8_t>(row, count * width);
  const std::vector<std::byte> runs(row, row + count * width);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t byte = 0; byte < width; ++byte) row[i * width + byte] = runs[(width - 1 - byte) * count + i];
  }
}

/// Source: TIFF revision 6.0, section 14, and Adobe Photoshop TIFF Technical Note 3.
void undo_predictor(const TiffFile& file, const TiffPage& page, Index rows, std::byte* samples) {
  const std::size_t width = size_of(page.sample);
  const auto count = static_cast<std::size_t>(page.piece_x);
  const bool floating = page.predictor == PREDICTOR_FLOATINGPOINT;
  if (floating && TIFFIsByteSwapped(file.handle()) != 0) {
    swap_bytes(page.sample, samples, count * static_cast<std::uint64_t>(rows));  // libtiff took them for samples
  }
  for (Index row = 0; row < rows; ++row, samples += count * width) {
    if (floating)
      gather_bytes(samples, count, width);
    else if (width == 1)
      add_up<std::uint8_t>(samples, count);
    else if (width == 2)
      add_up<std::uint16_t>(samples, count);
    else if (width == 4)
      add_up<std::uint32_t>(samples, count);
    else
      add_up<std::uint64_t>(samples, count);
  }
}

void unpack_bits(const TiffPage& page, const std::vector<std::byte>& packed, Index rows, std::byte* samples) {
  for (Index row = 0; row < rows; ++row) {
    const std::byte* bits = packed.data() + static_cast<std::uint64_t>(row) * page.stored_row_bytes();
    for (Index x = 0; x < page.piece_x; ++x) *samples++ = bits[x / 8] >> (7 - x % 8) & std::byte{1};
  }
}

/// Sets the size of strips or tiles.
void describe_pieces(const TiffFile& file, TiffPage& page) {
  TIFF* tiff = file.handle();
  page.tiled = TIFFIsTiled(tiff) != 0;
  page.piece_y = tag_or_default<std::uint32_t>(tiff, page.tiled ? TIFFTAG_TILELENGTH : TIFFTAG_ROWSPERSTRIP);
  page.piece_x = page.tiled ? tag_or_default<std::uint32_t>(tiff, TIFFTAG_TILEWIDTH) : page.x;
  if (!page.tiled) page.piece_y = std::min(page.piece_y, page.y);
  if (page.piece_y < 1 || page.piece_x < 1) {
    file.fail_with(fmt::format("page {} has {} of no voxels", page.number, page.tiled ? "tiles" : "strips"));
  }
}

}  // namespace

std::string TiffPage::to_text() const { return fmt::format("{}x{} {}", y, x, name(sample)); }

TiffPage describe_page(const TiffFile& file, const InputFile& input, Index number) {
  const std::uint64_t file_bytes = input.size_bytes();
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
  page.bits = bits == 1;
  const auto compression = tag_or_default<std::uint16_t>(tiff, TIFFTAG_COMPRESSION);
  page.compressed = compression != COMPRESSION_NONE;
  require_readable_codec(file, number);
  page.predictor = foreign_predictor(file, input, number, compression);
  describe_pieces(file, page);
  require_plausible(file, page, file_bytes);
  page.voxels_offset = plain_voxels_offset(tiff, page);
  return page;
}

void decode_piece(const TiffFile& file, const TiffPage& page, std::uint32_t piece, Index rows, std::byte* samples) {
  const std::uint64_t bytes = static_cast<std::uint64_t>(rows) * page.stored_row_bytes();
  std::vector<std::byte> packed(page.bits ? bytes : 0);
  std::byte* target = page.bits ? packed.data() : samples;
  const auto wanted = static_cast<tmsize_t>(bytes);
  const tmsize_t decoded = page.tiled ? TIFFReadEncodedTile(file.handle(), piece, target, wanted)
                                      : TIFFReadEncodedStrip(file.handle(), piece, target, wanted);
  if (decoded != wanted) {
    file.fail_with(fmt::format("{} {} of page {} cannot be read", page.tiled ? "tile" : "strip", piece, page.number));
  }
  if (page.bits) unpack_bits(page, packed, rows, samples);
  if (page.predictor != PREDICTOR_NONE) undo_predictor(file, page, rows, samples);
}

}  // namespace convoy::io
