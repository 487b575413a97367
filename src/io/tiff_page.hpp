// One page of a TIFF: how its voxels lie in the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "convoy/shape.hpp"
#include "io/input_file.hpp"
#include "io/sample.hpp"
#include "io/tiff_file.hpp"

namespace convoy::io {

struct TiffPage {
  Index number = 1;  ///< counted from 1, for messages
  std::uint64_t directory_offset = 0;
  Index y = 0;
  Index x = 0;
  Sample sample = Sample::u8;
  bool bits = false;            ///< eight voxels to a byte; u8 once decoded
  std::uint16_t predictor = 1;  ///< that is to be undone once a strip or tile is decoded: libtiff does not
  bool compressed = false;
  bool tiled = false;
  Index piece_y = 0;  ///< rows of a strip or tile
  Index piece_x = 0;  ///< columns of a tile; those of the page for strips
  /// Where the voxels begin, if they lie in the file as they are, row after row, in the file's byte order.
  std::optional<std::uint64_t> voxels_offset;

  std::uint64_t plane_bytes() const {
    return saturating_product(saturating_product(static_cast<std::uint64_t>(y), static_cast<std::uint64_t>(x)),
                              size_of(sample));
  }
  std::uint64_t row_bytes() const { return static_cast<std::uint64_t>(x) * size_of(sample); }
  /// Bytes of a row of a strip or tile as libtiff decodes it.
  std::uint64_t stored_row_bytes() const {
    return bits ? (static_cast<std::uint64_t>(piece_x) + 7) / 8 : static_cast<std::uint64_t>(piece_x) * size_of(sample);
  }
  bool same_kind(const TiffPage& other) const { return y == other.y && x == other.x && sample == other.sample; }
  std::string to_text() const;
};

/// Describes the current directory. Throws Error(io) for pages that convoy does not read, and for pages that promise
/// more than the file can hold. `input` is the same file, for tags that libtiff passes over; `number` counts from 1,
/// for messages.
TiffPage describe_page(const TiffFile& file, const InputFile& input, Index number);

/// Decodes a strip or tile of the current directory, described by `page`, in the machine's byte order: `rows` rows of
/// page.piece_x samples. Tiles are always whole.
void decode_piece(const TiffFile& file, const TiffPage& page, std::uint32_t piece, Index rows, std::byte* samples);

}  // namespace convoy::io
