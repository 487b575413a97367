// NumPy's .npy format, versions 1 to 3: magic, header length, a Python dictionary, the voxels.
// Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "io/axes.hpp"
#include "io/formats.hpp"
#include "io/input_file.hpp"
#include "io/io_error.hpp"
#include "io/voxel_file.hpp"

namespace convoy::io {
namespace {

static_assert(std::endian::native == std::endian::little, "convoy's files are written for little-endian machines");

constexpr char kMagic[] = "\x93NUMPY";
constexpr std::size_t kMagicBytes = 6;

struct NpyHeader {
  Sample sample = Sample::f32;
  bool big_endian = false;
  bool fortran_order = false;
  std::vector<Index> extents;
  std::uint64_t data_offset = 0;
};

std::string read_header_text(const InputFile& file, std::uint64_t& data_offset) {
  unsigned char start[12] = {};
  if (file.size_bytes() < sizeof start) fail(file.path(), "is too short for a NumPy file");
  file.read(0, reinterpret_cast<std::byte*>(start), sizeof start);
  if (std::memcmp(start, kMagic, kMagicBytes) != 0) fail(file.path(), "does not begin as a NumPy file does");
  const int version = start[6];
  if (version < 1 || version > 3) fail(file.path(), "is NumPy format {}; convoy reads 1 to 3", version);
  const std::uint64_t begin = version == 1 ? 10 : 12;
  std::uint64_t length = start[8] + 256U * start[9];
  if (version > 1) length += (std::uint64_t{start[10]} << 16) + (std::uint64_t{start[11]} << 24);
  constexpr std::uint64_t kLongestHeader = 4096;  // a plain array needs about 128
  if (length > kLongestHeader || begin + length > file.size_bytes()) {
    fail(file.path(), "claims a header of {} bytes in a file of {}", length, file.size_bytes());
  }
  std::string text(length, '\0');
  file.read(begin, reinterpret_cast<std::byte*>(text.data()), length);
  data_offset = begin + length;
  return text;
}

/// The text that stands behind 'key': in the header's dictionary: a string with its quotes, a (tuple), a [list] or a
/// word. Empty if there is none.
std::string_view value_text(std::string_view header, const std::string& key) {
  std::size_t at = header.find("'" + key + "'");
  if (at == std::string_view::npos) at = header.find('"' + key + '"');
  if (at == std::string_view::npos) return {};
  header.remove_prefix(at + key.size() + 2);
  header.remove_prefix(std::min(header.find_first_not_of(" :"), header.size()));
  if (header.empty()) return {};
  const char first = header[0];
  if (first != '(' && first != '[' && first != '\'' && first != '"')
    return header.substr(0, header.find_first_of(" ,}"));
  const char last = first == '(' ? ')' : first == '[' ? ']' : first;
  const std::size_t end = header.find(last, 1);
  return end == std::string_view::npos ? std::string_view() : header.substr(0, end + 1);
}

std::string header_value(const InputFile& file, const std::string& header, const std::string& key) {
  const std::string_view value = value_text(header, key);
  if (value.empty()) {
    fail(file.path(), "its NumPy header has no readable '{}': {}", key,
         header.substr(0, header.find_last_not_of(" \n") + 1));
  }
  return std::string(value);
}

/// The numbers in "(2, 3, 4)", "(5,)" or "()".
std::vector<Index> extents_in(const InputFile& file, const std::string& tuple) {
  constexpr std::string_view kNumber = "0123456789";
  if (tuple[0] != '(' || tuple.find_first_not_of("0123456789, ()") != std::string::npos) {
    fail(file.path(), "has shape {}, which is no tuple of sizes", tuple);
  }
  std::vector<Index> extents;
  for (std::size_t at = 0; (at = tuple.find_first_of(kNumber, at)) != std::string::npos;) {
    const std::size_t end = tuple.find_first_not_of(kNumber, at);  // the bracket at the latest
    Index extent = 0;
    if (std::from_chars(tuple.data() + at, tuple.data() + end, extent).ec != std::errc()) {
      fail(file.path(), "has shape {}, more voxels than any file holds", tuple);
    }
    extents.push_back(extent);
    at = end;
  }
  return extents;
}

NpyHeader read_header(const InputFile& file) {
  NpyHeader header;
  const std::string text = read_header_text(file, header.data_offset);
  const std::string type = header_value(file, text, "descr");
  const std::optional<Sample> sample =
      type.size() > 3 ? sample_of_numpy(type.substr(2, type.size() - 3)) : std::nullopt;
  if (!sample || std::string("<>|=").find(type[1]) == std::string::npos) {
    fail(file.path(), "holds {}; {}: save it with .astype('float32') or .astype('float64')", type, kReadableSamples);
  }
  header.sample = *sample;
  header.big_endian = type[1] == '>';
  const std::string order = header_value(file, text, "fortran_order");
  if (order != "True" && order != "False") fail(file.path(), "its NumPy header has fortran_order {}", order);
  header.fortran_order = order == "True";
  header.extents = extents_in(file, header_value(file, text, "shape"));

  std::uint64_t bytes = size_of(header.sample);
  for (const Index extent : header.extents) {
    if (extent == 0) fail(file.path(), "has shape ({}) and so no voxels", fmt::join(header.extents, ", "));
    bytes = saturating_product(bytes, static_cast<std::uint64_t>(extent));
  }
  const std::uint64_t held = file.size_bytes() - header.data_offset;
  if (bytes > held) {
    fail(file.path(), "is truncated: shape ({}) of {} needs {} bytes, the file holds {}",
         fmt::join(header.extents, ", "), name(header.sample), bytes, held);
  }
  return header;
}

/// The file's axes under the names asked for, else z, y, x.
std::vector<FileAxis> axes_of(const std::string& path, const NpyHeader& header, const std::string& names) {
  const std::size_t count = header.extents.size();
  if (names.empty() && (count < 1 || count > 3)) {
    fail(path, "has shape ({}), {} axes; convoy reads 1 to 3 (z, y, x), or more that are named, as in --axes TCZYX",
         fmt::join(header.extents, ", "), count);
  }
  std::vector<FileAxis> axes;
  for (const Index extent : header.extents) axes.push_back({'?', extent});
  if (!names.empty()) return name_all_axes(path, std::move(axes), names);
  for (std::size_t i = 0; i < count; ++i) axes[i].name = "ZYX"[3 - count + i];
  return axes;
}

VoxelLayout layout_of(const NpyHeader& header, const std::vector<FileAxis>& axes) {
  VoxelLayout layout;
  layout.sample = header.sample;
  layout.big_endian = header.big_endian;
  layout.num_channels = extent_of(axes, 'C');
  layout.offset = header.data_offset;
  std::uint64_t stride = size_of(header.sample);
  const auto place = [&](const FileAxis& axis) {
    if (axis.name == 'T') layout.time_stride = stride;
    if (axis.name == 'C') layout.channel_stride = stride;
    for (int i = 0; i < 3; ++i) {
      if (axis.name == "ZYX"[i]) layout.strides[static_cast<std::size_t>(i)] = stride;
    }
    stride *= static_cast<std::uint64_t>(axis.extent);
  };
  if (header.fortran_order) {
    std::for_each(axes.begin(), axes.end(), place);
  } else {
    std::for_each(axes.rbegin(), axes.rend(), place);
  }
  for (std::uint64_t& absent : layout.strides) {
    if (absent == 0) absent = stride;
  }
  return layout;
}

/// Those of the output, slowest first: in the order of metadata.axes if that ends in YX, else T, C, Z, Y, X.
std::vector<FileAxis> output_axes(const Shape& shape, const ImageMetadata& metadata) {
  std::vector<FileAxis> axes;
  if (metadata.num_times) axes.push_back({'T', *metadata.num_times});
  if (metadata.num_channels) axes.push_back({'C', *metadata.num_channels});
  if (shape.z > 1 || metadata.num_axes >= 3) axes.push_back({'Z', shape.z});
  if (shape.y > 1 || metadata.num_axes >= 2 || shape.z > 1) axes.push_back({'Y', shape.y});
  axes.push_back({'X', shape.x});
  if (!keeps_axes_order(metadata)) return axes;
  std::stable_sort(axes.begin(), axes.end(), [&](const FileAxis& a, const FileAxis& b) {
    return metadata.axes.find(a.name) < metadata.axes.find(b.name);
  });
  return axes;
}

std::string shape_text(const std::vector<FileAxis>& axes) {
  std::string text;
  for (const FileAxis& axis : axes) text += fmt::format("{}{}", text.empty() ? "" : ", ", axis.extent);
  return fmt::format("({}{})", text, axes.size() == 1 ? "," : "");
}

}  // namespace

std::unique_ptr<StoredImages> open_npy(const std::string& path, const OpenOptions& options) {
  const NpyHeader header = read_header(InputFile(path));
  const std::vector<FileAxis> axes = axes_of(path, header, options.axes);
  const Shape shape{extent_of(axes, 'Z'), extent_of(axes, 'Y'), extent_of(axes, 'X')};
  ImageMetadata metadata;
  set_images(axes, metadata);
  metadata.num_axes = static_cast<int>(axes.size()) - (metadata.num_times ? 1 : 0) - (metadata.num_channels ? 1 : 0);
  for (const FileAxis& axis : axes) metadata.axes += axis.name;
  if (metadata.num_images() > 1 && !keeps_axes_order(metadata)) {
    metadata.warnings.push_back(
        fmt::format("its axes are in the order {}; outputs have them in the order TCZYX", metadata.axes));
  }
  VoxelLayout layout = layout_of(header, axes);
  ImageFacts facts = facts_of(layout, shape, std::move(metadata));
  return std::make_unique<VoxelFile>(path, std::move(layout), std::move(facts));
}

FileDesign design_npy(const Shape& shape, Element element, const ImageMetadata& metadata) {
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", numpy_type(element),
                                 shape_text(output_axes(shape, metadata)));
  constexpr std::size_t kPrefixBytes = 10;
  constexpr std::size_t kAlignment = 64;
  const std::size_t unpadded = kPrefixBytes + text.size() + 1;
  text.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  text += '\n';
  std::string header(kMagic, kMagicBytes);
  header += {'\1', '\0', static_cast<char>(text.size() % 256), static_cast<char>(text.size() / 256)};
  FileDesign design = design_dense(header + text, shape, element, metadata);
  NpyHeader written;
  written.sample = sample_for(element);
  written.data_offset = design.header.size();
  design.layout = layout_of(written, output_axes(shape, metadata));
  return design;
}

}  // namespace convoy::io
