#include "io/tiff_description.hpp"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>

namespace convoy::io {
namespace {

template <class T>
std::optional<T> number_in(std::string_view text) {
  T value{};
  const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc()) return std::nullopt;
  return value;
}

/// The value of "key=value" on a line of its own.
std::optional<std::string_view> line_value(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == '=') {
      std::string_view value = line.substr(key.size() + 1);
      if (value.ends_with('\r')) value.remove_suffix(1);
      return value;
    }
  }
  return std::nullopt;
}

/// The value of an XML attribute within one tag.
std::optional<std::string_view> attribute(std::string_view tag, std::string_view name) {
  std::size_t at = 0;
  while ((at = tag.find(name, at)) != std::string_view::npos) {
    const std::size_t quote = at + name.size() + 1;
    const bool whole_name = at > 0 && (tag[at - 1] == ' ' || tag[at - 1] == '\n' || tag[at - 1] == '\t');
    at += name.size();
    if (!whole_name || quote >= tag.size() || tag[quote - 1] != '=') continue;
    const std::size_t end = tag.find(tag[quote], quote + 1);
    if (end == std::string_view::npos) return std::nullopt;
    return tag.substr(quote + 1, end - quote - 1);
  }
  return std::nullopt;
}

template <class T>
T number_or(std::optional<std::string_view> text, T fallback) {
  return text ? number_in<T>(*text).value_or(fallback) : fallback;
}

double size_from_resolution(double pixels_per_unit) { return pixels_per_unit > 0 ? 1 / pixels_per_unit : 1; }

StackDescription parse_imagej(std::string_view text, double pixels_per_unit_x, double pixels_per_unit_y) {
  StackDescription stack;
  stack.program = "ImageJ";
  stack.contiguous = true;
  stack.num_planes = number_or<Index>(line_value(text, "images"), 1);
  stack.num_channels = number_or<Index>(line_value(text, "channels"), 1);
  stack.num_frames = number_or<Index>(line_value(text, "frames"), 1);
  const auto unit = line_value(text, "unit");
  const auto spacing = line_value(text, "spacing");
  if (unit || spacing) {
    stack.voxel_size = VoxelSize{number_or(spacing, 1.0), size_from_resolution(pixels_per_unit_y),
                                 size_from_resolution(pixels_per_unit_x), std::string(unit.value_or(""))};
  }
  return stack;
}

StackDescription parse_ome(std::string_view text) {
  StackDescription stack;
  stack.program = "OME-TIFF";
  stack.num_series = 0;
  for (std::size_t at = 0; (at = text.find("<Pixels", at)) != std::string_view::npos; ++at) ++stack.num_series;
  const std::size_t begin = std::min(text.find("<Pixels"), text.size());
  const std::string_view pixels = text.substr(begin, text.find('>', begin) - begin);
  stack.num_planes = number_or<Index>(attribute(pixels, "SizeZ"), 0);
  stack.num_channels = number_or<Index>(attribute(pixels, "SizeC"), 1);
  stack.num_frames = number_or<Index>(attribute(pixels, "SizeT"), 1);
  if (const auto size_x = attribute(pixels, "PhysicalSizeX")) {
    const double x = number_or(size_x, 1.0);
    const double y = number_or(attribute(pixels, "PhysicalSizeY"), x);
    const double z = number_or(attribute(pixels, "PhysicalSizeZ"), 1.0);
    stack.voxel_size = VoxelSize{z, y, x, std::string(attribute(pixels, "PhysicalSizeXUnit").value_or("micron"))};
  }
  return stack;
}

/// tifffile's {"shape": [planes, y, x], "truncated": true}; with "truncated" one page stands for all planes.
StackDescription parse_tifffile(const std::string& text) {
  StackDescription stack;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("shape") || !json["shape"].is_array()) return stack;
  std::vector<Index> extents;
  for (const auto& extent : json["shape"]) {
    if (!extent.is_number_integer()) return stack;
    if (extent.get<Index>() != 1) extents.push_back(extent.get<Index>());
  }
  stack.program = "tifffile";
  stack.contiguous = json.contains("truncated") && json["truncated"] == true;
  stack.num_planes = extents.size() == 3 ? extents[0] : 1;
  if (extents.size() > 3) stack.extra_axes = fmt::format("{}", fmt::join(extents, "x"));
  return stack;
}

}  // namespace

StackDescription parse_description(const std::string& text, double pixels_per_unit_x, double pixels_per_unit_y) {
  if (text.starts_with("ImageJ=")) return parse_imagej(text, pixels_per_unit_x, pixels_per_unit_y);
  if (text.find("<OME") != std::string::npos) return parse_ome(text);
  if (text.starts_with("{")) return parse_tifffile(text);
  return {};
}

std::string imagej_description(const Shape& shape, const std::optional<VoxelSize>& voxel_size) {
  std::string text = fmt::format("ImageJ=1.53t\nimages={0}\nslices={0}\n", shape.z);
  if (voxel_size) {
    if (!voxel_size->unit.empty()) text += fmt::format("unit={}\n", voxel_size->unit);
    text += fmt::format("spacing={}\n", voxel_size->z);
  }
  return text + "loop=false\n";
}

}  // namespace convoy::io
