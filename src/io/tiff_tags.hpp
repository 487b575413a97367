// Tags of a TIFF directory as they lie in the file, for those that libtiff rounds or does not know. Damaged tags read
// as absent. Source: TIFF revision 6.0 (Adobe, 1992), section 2; BigTIFF (libtiff.gitlab.io/libtiff).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "io/input_file.hpp"

namespace convoy::io {

class TiffTags {
 public:
  /// The directory at that offset. `file` must outlive this object.
  TiffTags(const InputFile& file, std::uint64_t directory_offset);

  bool has(std::uint16_t tag) const { return entries_.count(tag) > 0; }
  /// Number of values, 0 if the tag is absent.
  std::uint64_t count(std::uint16_t tag) const;
  /// The value of a tag of one fraction.
  std::optional<double> fraction(std::uint16_t tag) const;
  /// The values of a tag of unsigned integers; empty if there are more than `most`.
  std::vector<std::uint64_t> integers(std::uint16_t tag, std::uint64_t most) const;
  std::string text(std::uint16_t tag) const;
  /// The first bytes at the place of the tag's values, which are as many as its type and count say or, for tags that
  /// hold other things than they say, more.
  std::vector<std::byte> bytes(std::uint16_t tag, std::uint64_t count) const;
  /// An unsigned integer in the file's byte order; bytes beyond the end of the file or the vector are 0.
  std::uint64_t integer_in(const std::vector<std::byte>& bytes, std::size_t at, std::size_t width) const;
  std::uint64_t integer_at(std::uint64_t place, std::size_t width) const;
  bool big_endian() const { return big_endian_; }

 private:
  struct Entry {
    std::uint16_t type = 0;
    std::uint64_t count = 0;
    std::uint64_t place = 0;  // of the values
  };
  const Entry* find(std::uint16_t tag) const;

  const InputFile& file_;
  bool big_endian_ = false;
  std::map<std::uint16_t, Entry> entries_;
};

}  // namespace convoy::io
