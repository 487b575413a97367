// One page of a TIFF: how its voxels lie in the file, and reading them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "convoy/shape.hpp"
#include "io/sample.hpp"
#include "io/tiff_file.hpp"

namespace convoy::io {

struct TiffPage {
  Index number = 1;  ///< counted from 1, for messages
  std::uint64_t directory_offset = 0;
  Index y = 0;
  Index x = 0;
  Sample sample = Sample::u8;
  bool compressed = false;

  std::uint64_t plane_bytes() const {
    return saturating_product(saturating_product(static_cast<std::uint64_t>(y), static_cast<std::uint64_t>(x)),
                              size_of(sample));
  }
  bool same_kind(const TiffPage& other) const { return y == other.y && x == other.x && sample == other.sample; }
  std::string to_text() const;
};

/// Describes the current directory. Throws Error(io) for pages that convoy does not read, and for pages that promise
/// more than a file of file_bytes can hold. `number` counts from 1, for messages.
TiffPage describe_page(const TiffFile& file, Index number, std::uint64_t file_bytes);

/// Reads the voxels of the current directory, described by `page`, in the machine's byte order.
void read_page(const TiffFile& file, const TiffPage& page, std::byte* samples);

}  // namespace convoy::io
