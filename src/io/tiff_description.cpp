#include "io/tiff_description.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>

#include "io/units.hpp"

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

std::optional<VoxelSize> imagej_voxel_size(std::string_view text, double pixels_per_unit_x, double pixels_per_unit_y) {
  const auto unit = line_value(text, "unit");
  const auto spacing = line_value(text, "spacing");
  if (!unit && !spacing) return std::nullopt;
  return VoxelSize{number_or(spacing, 1.0), size_from_resolution(pixels_per_unit_y),
                   size_from_resolution(pixels_per_unit_x), unit_from(unit.value_or(""))};
}

StackDescription parse_imagej(std::string_view text, double pixels_per_unit_x, double pixels_per_unit_y) {
  StackDescription stack;
  stack.program = "ImageJ";
  stack.contiguous = true;
  const auto images = number_or<Index>(line_value(text, "images"), 1);
  const auto frames = number_or<Index>(line_value(text, "frames"), 1);
  const auto slices = number_or<Index>(line_value(text, "slices"), 1);
  const auto channels = number_or<Index>(line_value(text, "channels"), 1);
  stack.axes = {{'T', frames}, {'Z', slices}, {'C', channels}};
  const bool tells_images_only = frames == 1 && slices == 1 && channels == 1;
  if (tells_images_only) stack.axes[1].extent = images;
  stack.voxel_size = imagej_voxel_size(text, pixels_per_unit_x, pixels_per_unit_y);
  return stack;
}

/// Slowest first, from OME's DimensionOrder, which begins with the fastest: "XYZCT".
std::vector<FileAxis> ome_axes(std::string_view pixels) {
  const std::string_view order = attribute(pixels, "DimensionOrder").value_or("XYZCT");
  std::vector<FileAxis> axes;
  for (std::size_t i = order.size(); i-- > 0;) {
    const char name = order[i];
    if (name != 'Z' && name != 'C' && name != 'T') continue;
    axes.push_back({name, number_or<Index>(attribute(pixels, std::string("Size") + name), 1)});
  }
  return axes;
}

std::vector<PlaneRun> ome_runs(std::string_view text) {
  std::vector<PlaneRun> runs;
  constexpr std::string_view kTag = "<TiffData";
  for (std::size_t at = 0; (at = text.find(kTag, at)) != std::string_view::npos; at += kTag.size()) {
    const std::string_view tag = text.substr(at, text.find('>', at) - at);
    if (!attribute(tag, "IFD")) continue;
    PlaneRun run;
    run.time = number_or<Index>(attribute(tag, "FirstT"), 0);
    run.channel = number_or<Index>(attribute(tag, "FirstC"), 0);
    run.z = number_or<Index>(attribute(tag, "FirstZ"), 0);
    run.page = number_or<Index>(attribute(tag, "IFD"), 0);
    run.count = number_or<Index>(attribute(tag, "PlaneCount"), 1);
    runs.push_back(run);
  }
  return runs;
}

StackDescription parse_ome(std::string_view text) {
  StackDescription stack;
  stack.program = "OME-TIFF";
  stack.num_series = 0;
  for (std::size_t at = 0; (at = text.find("<Pixels", at)) != std::string_view::npos; ++at) ++stack.num_series;
  const std::size_t begin = std::min(text.find("<Pixels"), text.size());
  const std::string_view pixels = text.substr(begin, text.find('>', begin) - begin);
  stack.axes = ome_axes(pixels);
  stack.runs = ome_runs(text);
  if (const auto size_x = attribute(pixels, "PhysicalSizeX")) {
    const double x = number_or(size_x, 1.0);
    const double y = number_or(attribute(pixels, "PhysicalSizeY"), x);
    const double z = number_or(attribute(pixels, "PhysicalSizeZ"), 1.0);
    stack.voxel_size = VoxelSize{z, y, x, unit_from(attribute(pixels, "PhysicalSizeXUnit").value_or("micron"))};
  }
  return stack;
}

/// tifffile's {"shape": [planes, y, x], "truncated": true}; with "truncated" one page stands for all planes.
StackDescription parse_tifffile(const std::string& text) {
  StackDescription stack;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("shape") || !json["shape"].is_array()) return stack;
  const auto& extents = json["shape"];
  const std::string names = json.contains("axes") && json["axes"].is_string() ? json["axes"].get<std::string>() : "";
  for (std::size_t i = 0; i + 2 < extents.size(); ++i) {
    if (!extents[i].is_number_integer()) return {};
    const bool named = names.size() == extents.size() && std::string_view("TCZ").find(names[i]) != std::string::npos;
    stack.axes.push_back({named ? names[i] : '?', extents[i].get<Index>()});
  }
  stack.program = "tifffile";
  stack.contiguous = json.contains("truncated") && json["truncated"] == true;
  return stack;
}

std::string ome_type(Element element) {
  switch (element) {
    case Element::u8:
      return "uint8";
    case Element::u16:
      return "uint16";
    case Element::f32:
      return "float";
    case Element::f64:
      break;
  }
  return "double";
}

std::string escaped(const std::string& text) {
  std::string xml;
  for (const char c : text) xml += c == '<' ? "&lt;" : c == '&' ? "&amp;" : c == '"' ? "&quot;" : std::string(1, c);
  return xml;
}

}  // namespace

Index StackDescription::num_planes() const {
  std::uint64_t planes = 1;
  for (const FileAxis& axis : axes) {
    planes = saturating_product(planes, static_cast<std::uint64_t>(std::max<Index>(0, axis.extent)));
  }
  return static_cast<Index>(std::min<std::uint64_t>(planes, INT64_MAX));
}

StackDescription parse_description(const std::string& text, double pixels_per_unit_x, double pixels_per_unit_y) {
  if (text.starts_with("ImageJ=")) return parse_imagej(text, pixels_per_unit_x, pixels_per_unit_y);
  if (text.find("<OME") != std::string::npos) return parse_ome(text);
  if (text.starts_with("{")) return parse_tifffile(text);
  return {};
}

std::string imagej_description(const Shape& shape, const ImageMetadata& metadata) {
  const Index channels = metadata.num_channels.value_or(1);
  const Index times = metadata.num_times.value_or(1);
  std::string text = fmt::format("ImageJ=1.53t\nimages={}\n", shape.z * channels * times);
  if (channels > 1) text += fmt::format("channels={}\n", channels);
  text += fmt::format("slices={}\n", shape.z);
  if (times > 1) text += fmt::format("frames={}\n", times);
  if (channels > 1 || times > 1) text += "hyperstack=true\n";
  if (metadata.voxel_size) {
    if (!metadata.voxel_size->unit.empty()) text += fmt::format("unit={}\n", metadata.voxel_size->unit);
    text += fmt::format("spacing={}\n", metadata.voxel_size->z);
  }
  return text + "loop=false\n";
}

std::string ome_description(const Shape& shape, Element element, const ImageMetadata& metadata) {
  const Index channels = metadata.num_channels.value_or(1);
  const Index times = metadata.num_times.value_or(1);
  std::string physical;
  if (metadata.voxel_size) {
    const VoxelSize& size = *metadata.voxel_size;
    const std::string unit = escaped(ome_unit(size.unit));
    physical = fmt::format(
        " PhysicalSizeX=\"{}\" PhysicalSizeXUnit=\"{}\" PhysicalSizeY=\"{}\" PhysicalSizeYUnit=\"{}\" "
        "PhysicalSizeZ=\"{}\" PhysicalSizeZUnit=\"{}\"",
        size.x, unit, size.y, unit, size.z, unit);
  }
  std::string list;
  for (Index channel = 0; channel < channels; ++channel) {
    list += fmt::format("<Channel ID=\"Channel:0:{}\" SamplesPerPixel=\"1\"/>", channel);
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?><OME xmlns=\"http://www.openmicroscopy.org/Schemas/OME/2016-06\" "
      "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
      "xsi:schemaLocation=\"http://www.openmicroscopy.org/Schemas/OME/2016-06 "
      "http://www.openmicroscopy.org/Schemas/OME/2016-06/ome.xsd\"><Image ID=\"Image:0\"><Pixels ID=\"Pixels:0\" "
      "DimensionOrder=\"XYZCT\" Type=\"{}\" BigEndian=\"false\" SizeX=\"{}\" SizeY=\"{}\" SizeZ=\"{}\" SizeC=\"{}\" "
      "SizeT=\"{}\"{}>{}<TiffData IFD=\"0\" PlaneCount=\"{}\"/></Pixels></Image></OME>",
      ome_type(element), shape.x, shape.y, shape.z, channels, times, physical, list, shape.z * channels * times);
}

}  // namespace convoy::io
