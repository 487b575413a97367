// Voxels alone, in a file without a header.
#include <charconv>
#include <string_view>

#include "io/formats.hpp"
#include "io/io_error.hpp"
#include "io/voxel_file.hpp"

namespace convoy::inline v0 {
namespace {

[[noreturn]] void refuse(const std::string& text, const std::string& problem) {
  throw Error(Errc::invalid_argument,
              fmt::format("'{}' is no raw layout: {}; write z,y,x,type[,offset in bytes][,big][,more], as in "
                          "128,512,512,u16,4096,big",
                          text, problem));
}

std::vector<std::string_view> parts_of(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t comma = text.find(','); comma != std::string_view::npos; comma = text.find(',')) {
    parts.push_back(text.substr(0, comma));
    text.remove_prefix(comma + 1);
  }
  parts.push_back(text);
  return parts;
}

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  return problem == std::errc() && rest == text.data() + text.size();
}

}  // namespace

RawLayout raw_layout_from_text(const std::string& text) {
  RawLayout layout;
  std::vector<std::string_view> parts = parts_of(text);
  if (parts.size() < 4) refuse(text, fmt::format("it has {} parts of at least 4", parts.size()));
  for (int axis = 0; axis < 3; ++axis) {
    const std::string_view part = parts[static_cast<std::size_t>(axis)];
    if (!read_number(part, layout.shape[axis]) || layout.shape[axis] < 1) {
      refuse(text, fmt::format("'{}' is no size above 0", part));
    }
  }
  layout.type = std::string(parts[3]);
  if (!io::sample_named(layout.type)) {
    refuse(text, fmt::format("'{}' is none of u8, i8, u16, i16, u32, i32, u64, i64, f16, bf16, f32, f64, c64, c128",
                             layout.type));
  }
  const auto take_last = [&](std::string_view word) {
    if (parts.size() <= 4 || parts.back() != word) return false;
    parts.pop_back();
    return true;
  };
  layout.more_bytes_follow = take_last("more");
  layout.big_endian = take_last("big");
  if (parts.size() > 4 && !read_number(parts[4], layout.offset_bytes)) {
    refuse(text, fmt::format("'{}' is neither an offset in bytes nor 'big' or 'more'", parts[4]));
  }
  if (parts.size() > 5) refuse(text, fmt::format("'{}' follows", parts[5]));
  return layout;
}

}  // namespace convoy::inline v0

namespace convoy::io {

std::unique_ptr<StoredImages> open_raw(const std::string& path, const RawLayout& raw) {
  const std::optional<Sample> sample = sample_named(raw.type);
  if (!sample) throw Error(Errc::invalid_argument, fmt::format("raw voxels of '{}' are not known", raw.type));
  const std::uint64_t voxels = static_cast<std::uint64_t>(num_voxels(raw.shape));
  const std::uint64_t needed = saturating_sum(raw.offset_bytes, saturating_product(voxels, size_of(*sample)));
  const std::uint64_t held = InputFile(path).size_bytes();
  if (needed > held) {
    fail(path, "holds {} bytes, but {} {} zyx voxels from byte {} on need {}", held, to_text(raw.shape), raw.type,
         raw.offset_bytes, needed);
  }
  if (needed < held && !raw.more_bytes_follow) {
    fail(path,
         "holds {} bytes, {} more than the {} {} zyx voxels from byte {} on: shape, type or offset are not the file's; "
         "if more follows that is not wanted, add ',more' to the raw layout",
         held, held - needed, to_text(raw.shape), raw.type, raw.offset_bytes);
  }
  VoxelLayout layout = dense_layout(raw.shape, *sample, 1, raw.offset_bytes);
  layout.big_endian = raw.big_endian;
  ImageFacts facts = facts_of(layout, raw.shape, {});
  return std::make_unique<VoxelFile>(path, std::move(layout), std::move(facts));
}

FileDesign design_dense(std::string header, const Shape& shape, Element element, const ImageMetadata& metadata) {
  FileDesign design;
  design.layout = dense_layout(shape, sample_for(element), metadata.num_channels.value_or(1), header.size());
  design.file_bytes = saturating_sum(
      header.size(),
      saturating_product(static_cast<std::uint64_t>(metadata.num_images()),
                         saturating_product(static_cast<std::uint64_t>(num_voxels(shape)), size_of(element))));
  design.header = std::move(header);
  return design;
}

}  // namespace convoy::io
