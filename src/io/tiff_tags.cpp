#include "io/tiff_tags.hpp"

#include <tiff.h>

#include <algorithm>

#include "convoy/shape.hpp"

namespace convoy::io {
namespace {

std::uint64_t width_of(std::uint16_t type) {
  switch (type) {
    case TIFF_SHORT:
    case TIFF_SSHORT:
      return 2;
    case TIFF_LONG:
    case TIFF_SLONG:
    case TIFF_FLOAT:
    case TIFF_IFD:
      return 4;
    case TIFF_RATIONAL:
    case TIFF_SRATIONAL:
    case TIFF_DOUBLE:
    case TIFF_LONG8:
    case TIFF_SLONG8:
    case TIFF_IFD8:
      return 8;
    default:
      return 1;
  }
}

}  // namespace

TiffTags::TiffTags(const InputFile& file, std::uint64_t directory_offset) : file_(file) {
  big_endian_ = integer_at(0, 1) == 'M';
  const bool big = integer_at(2, 2) == 43;
  const std::size_t offset_width = big ? 8 : 4;
  const std::uint64_t entry_bytes = 4 + 2 * offset_width;
  const std::uint64_t first = directory_offset + (big ? 8 : 2);
  constexpr std::uint64_t kMostEntries = 4096;
  const std::uint64_t num_entries = std::min(kMostEntries, integer_at(directory_offset, big ? 8 : 2));
  for (std::uint64_t i = 0; i < num_entries; ++i) {
    const std::uint64_t at = first + i * entry_bytes;
    Entry entry;
    entry.type = static_cast<std::uint16_t>(integer_at(at + 2, 2));
    entry.count = integer_at(at + 4, offset_width);
    entry.place = at + 4 + offset_width;
    const bool fits = saturating_product(entry.count, width_of(entry.type)) <= offset_width;
    if (!fits) entry.place = integer_at(entry.place, offset_width);
    entries_.emplace(static_cast<std::uint16_t>(integer_at(at, 2)), entry);  // of two alike, the first
  }
}

const TiffTags::Entry* TiffTags::find(std::uint16_t tag) const {
  const auto entry = entries_.find(tag);
  return entry == entries_.end() ? nullptr : &entry->second;
}

std::uint64_t TiffTags::count(std::uint16_t tag) const {
  const Entry* entry = find(tag);
  return entry == nullptr ? 0 : entry->count;
}

std::optional<double> TiffTags::fraction(std::uint16_t tag) const {
  const Entry* entry = find(tag);
  if (entry == nullptr || entry->type != TIFF_RATIONAL || entry->count != 1) return std::nullopt;
  const std::uint64_t denominator = integer_at(entry->place + 4, 4);
  if (denominator == 0) return std::nullopt;
  return static_cast<double>(integer_at(entry->place, 4)) / static_cast<double>(denominator);
}

std::vector<std::uint64_t> TiffTags::integers(std::uint16_t tag, std::uint64_t most) const {
  const Entry* entry = find(tag);
  if (entry == nullptr || entry->count > most) return {};
  const auto width = static_cast<std::size_t>(width_of(entry->type));
  const std::vector<std::byte> stored = bytes(tag, entry->count * width);
  std::vector<std::uint64_t> values;
  for (std::size_t at = 0; at + width <= stored.size(); at += width) values.push_back(integer_in(stored, at, width));
  return values;
}

std::string TiffTags::text(std::uint16_t tag) const {
  constexpr std::uint64_t kLongestText = std::uint64_t{1} << 16;
  const std::vector<std::byte> stored = bytes(tag, std::min(kLongestText, count(tag)));
  std::string text(reinterpret_cast<const char*>(stored.data()), stored.size());
  return text.substr(0, text.find('\0'));
}

std::vector<std::byte> TiffTags::bytes(std::uint16_t tag, std::uint64_t count) const {
  const Entry* entry = find(tag);
  if (entry == nullptr || saturating_sum(entry->place, count) > file_.size_bytes()) return {};
  std::vector<std::byte> bytes(count);
  file_.read(entry->place, bytes.data(), count);
  return bytes;
}

std::uint64_t TiffTags::integer_in(const std::vector<std::byte>& bytes, std::size_t at, std::size_t width) const {
  if (at + width > bytes.size()) return 0;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    value = value << 8 | std::to_integer<std::uint64_t>(bytes[at + (big_endian_ ? i : width - 1 - i)]);
  }
  return value;
}

std::uint64_t TiffTags::integer_at(std::uint64_t place, std::size_t width) const {
  if (saturating_sum(place, width) > file_.size_bytes()) return 0;
  std::vector<std::byte> bytes(width);
  file_.read(place, bytes.data(), width);
  return integer_in(bytes, 0, width);
}

}  // namespace convoy::io
