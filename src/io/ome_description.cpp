// OME-XML in a TIFF. Source: https://docs.openmicroscopy.org/ome-model/latest/ome-tiff/specification.html
// pugixml parses without recursion, reads no document type and expands no entities but the five of XML and numbers.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <pugixml.hpp>
#include <set>
#include <sstream>

#include "convoy/error.hpp"
#include "io/io_error.hpp"
#include "io/tiff_description.hpp"
#include "io/units.hpp"
#include "io/voxel_size.hpp"

namespace convoy::io {
namespace {

constexpr std::size_t kLongestXml = std::size_t{64} << 20;

/// Without its namespace's prefix.
std::string_view local_name(pugi::xml_node node) {
  const std::string_view name = node.name();
  return name.substr(name.find(':') + 1);  // npos + 1 is 0
}

template <class Body>
void for_each_child(pugi::xml_node parent, std::string_view name, Body body) {
  for (const pugi::xml_node child : parent) {
    if (local_name(child) == name) body(child);
  }
}

pugi::xml_node first_child(pugi::xml_node parent, std::string_view name) {
  for (const pugi::xml_node child : parent) {
    if (local_name(child) == name) return child;
  }
  return {};
}

std::optional<std::string_view> attribute(pugi::xml_node node, const char* name) {
  const pugi::xml_attribute found = node.attribute(name);
  if (!found) return std::nullopt;
  return found.value();
}

constexpr std::string_view kPlaneAxes = "ZCT";

std::string_view dimension_order_of(pugi::xml_node pixels) {
  return attribute(pixels, "DimensionOrder").value_or("XYZCT");
}

Index size_along(pugi::xml_node pixels, char axis) {
  const char name[] = {'S', 'i', 'z', 'e', axis, '\0'};
  return number_or<Index>(attribute(pixels, name), 1);
}

/// Slowest first, each once, from OME's DimensionOrder, which begins with the fastest: "XYZCT".
std::vector<FileAxis> axes_of(pugi::xml_node pixels) {
  const std::string_view order = dimension_order_of(pixels);
  std::vector<FileAxis> axes;
  for (std::size_t i = order.size(); i-- > 0;) {
    const bool is_plane_axis = kPlaneAxes.find(order[i]) != std::string_view::npos;
    if (is_plane_axis && order.find(order[i]) == i) axes.push_back({order[i], size_along(pixels, order[i])});
  }
  return axes;
}

/// Whether DimensionOrder names every axis of the planes once; an axis of one plane may be missing.
bool has_clear_order(pugi::xml_node pixels) {
  const std::string_view order = dimension_order_of(pixels);
  return std::all_of(kPlaneAxes.begin(), kPlaneAxes.end(), [&](char axis) {
    const auto times = std::count(order.begin(), order.end(), axis);
    return times == 1 || (times == 0 && size_along(pixels, axis) == 1);
  });
}

std::vector<PlaneRun> runs_of(pugi::xml_node pixels) {
  std::vector<PlaneRun> runs;
  for_each_child(pixels, "TiffData", [&](pugi::xml_node data) {
    const bool has_page = static_cast<bool>(data.attribute("IFD"));
    PlaneRun run;
    run.time = number_or<Index>(attribute(data, "FirstT"), 0);
    run.channel = number_or<Index>(attribute(data, "FirstC"), 0);
    run.z = number_or<Index>(attribute(data, "FirstZ"), 0);
    run.page = number_or<Index>(attribute(data, "IFD"), 0);
    run.count = has_page ? 1 : 0;
    run.count = number_or<Index>(attribute(data, "NumPlanes"), run.count);  // before 2008
    run.count = number_or<Index>(attribute(data, "PlaneCount"), run.count);
    runs.push_back(run);
  });
  return runs;
}

/// Other files that hold planes of this image. One name for all planes is this file's, whatever it is called now.
std::set<std::string> files_of(pugi::xml_node pixels) {
  std::set<std::string> files;
  for_each_child(pixels, "TiffData", [&](pugi::xml_node data) {
    const pugi::xml_node uuid = first_child(data, "UUID");
    if (!uuid) return;
    const auto name = attribute(uuid, "FileName");
    files.insert(std::string(name.value_or(uuid.text().get())));
  });
  return files;
}

double length_of(pugi::xml_node pixels, const std::string& name) {
  const auto text = attribute(pixels, name.c_str());
  return text ? given_length(number_or<double>(text, NAN)) : 0;
}

void set_metadata(pugi::xml_node pixels, ImageMetadata& metadata) {
  std::array<double, 3> lengths{};
  std::array<std::string, 3> units;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const std::string name = fmt::format("PhysicalSize{}", "ZYX"[axis]);
    lengths[axis] = length_of(pixels, name);
    units[axis] = unit_from(attribute(pixels, (name + "Unit").c_str()).value_or("micron"));
  }
  if (lengths != std::array<double, 3>{}) {
    metadata.voxel_size = voxel_size_in_one_unit(lengths, units, metadata.warnings);
  }
  const double step = number_or<double>(attribute(pixels, "TimeIncrement"), 0);
  if (step > 0 && std::isfinite(step)) {
    metadata.time_step = TimeStep{step, time_unit_from(attribute(pixels, "TimeIncrementUnit").value_or("s"))};
  }
  const auto channels = number_or<Index>(attribute(pixels, "SizeC"), 1);
  bool any = false;
  for_each_child(pixels, "Channel", [&](pugi::xml_node channel) {
    const std::string name = utf8_from(attribute(channel, "Name").value_or(""));
    any = any || !name.empty();
    metadata.channel_names.push_back(name);
  });
  if (!any || static_cast<Index>(metadata.channel_names.size()) != channels) metadata.channel_names.clear();
}

/// "0: 'left eye', T 1, Z 6, C 2, Y 20, X 24", for messages.
std::string series_text(Index number, pugi::xml_node image, pugi::xml_node pixels) {
  const std::string name = utf8_from(attribute(image, "Name").value_or(""));
  return fmt::format("{}: '{}', {}, Y {}, X {}", number, name, to_text(axes_of(pixels)),
                     attribute(pixels, "SizeY").value_or("?"), attribute(pixels, "SizeX").value_or("?"));
}

struct Series {
  pugi::xml_node image;
  pugi::xml_node pixels;
};

std::vector<Series> series_of(pugi::xml_node root) {
  std::vector<Series> all;
  for_each_child(root, "Image", [&](pugi::xml_node image) {
    if (const pugi::xml_node pixels = first_child(image, "Pixels")) all.push_back({image, pixels});
  });
  return all;
}

std::string list_text(const std::vector<Series>& all) {
  constexpr std::size_t kMostShown = 20;
  std::string list;
  for (std::size_t i = 0; i < std::min(all.size(), kMostShown); ++i) {
    list += fmt::format("{}{}", i == 0 ? "" : "; ", series_text(static_cast<Index>(i), all[i].image, all[i].pixels));
  }
  if (all.size() > kMostShown) list += fmt::format("; and {} more", all.size() - kMostShown);
  return list;
}

void describe_series(const Series& series, bool one_of_several, StackDescription& stack) {
  const pugi::xml_node pixels = series.pixels;
  stack.axes = axes_of(pixels);
  stack.runs = runs_of(pixels);
  stack.page_y = number_or<Index>(attribute(pixels, "SizeY"), 0);
  stack.page_x = number_or<Index>(attribute(pixels, "SizeX"), 0);
  stack.is_series = one_of_several;
  set_metadata(pixels, stack.metadata);
  if (!has_clear_order(pixels)) {
    stack.obstacle = fmt::format("its OME-XML orders its planes as '{}', which does not name each of Z, C and T once",
                                 utf8_from(dimension_order_of(pixels)));
  }
  const std::set<std::string> files = files_of(pixels);
  if (files.size() > 1) {
    stack.obstacle = fmt::format(
        "is part of an OME-TIFF set of {} files ('{}', '{}' ...); convoy reads images that are in one "
        "file",
        files.size(), utf8_from(*files.begin()), utf8_from(*files.rbegin()));
  }
  const bool pages_missing = stack.runs.empty() || stack.runs[0].count == 0;
  if (one_of_several && pages_missing)
    stack.obstacle = "is an OME-TIFF of several series that does not say which pages are whose";
}

pugi::xml_parse_result parse(pugi::xml_document& document, const std::string& text) {
  return document.load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_auto);
}

const char* ome_type(Element element) {
  switch (element) {
    case Element::u8:
      return "uint8";
    case Element::u16:
      return "uint16";
    case Element::f32:
      return "float";
    case Element::f64:
      return "double";
    case Element::i8:
      return "int8";
    case Element::i16:
      return "int16";
    case Element::u32:
      return "uint32";
    case Element::i32:
      return "int32";
    case Element::c64:
      return "complex";
    case Element::c128:
      return "double-complex";
    case Element::f16:
    case Element::bf16:
      break;
  }
  throw Error(Errc::invalid_argument, "OME-TIFF has no float of 16 bits; take u16, f32, or a .tif that is no .ome.tif");
}

void append(pugi::xml_node node, const char* name, const std::string& value) {
  node.append_attribute(name).set_value(utf8_from(value).c_str());
}

void append_physical(pugi::xml_node pixels, const VoxelSize& size) {
  for (const auto& [axis, length] : {std::pair('X', size.x), std::pair('Y', size.y), std::pair('Z', size.z)}) {
    if (!(length > 0)) continue;
    const std::string name = fmt::format("PhysicalSize{}", axis);
    append(pixels, name.c_str(), fmt::format("{}", length));
    append(pixels, (name + "Unit").c_str(), ome_unit(size.unit));
  }
}

}  // namespace

bool is_ome(const std::string& text) {
  std::string_view rest = text;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  const std::size_t first = rest.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || rest[first] != '<') return false;
  for (std::size_t at = rest.find("OME", 1); at != std::string_view::npos; at = rest.find("OME", at + 1)) {
    const bool ends =
        at + 3 < rest.size() && std::string_view(" \t\r\n/>").find(rest[at + 3]) != std::string_view::npos;
    if (ends && (rest[at - 1] == '<' || rest[at - 1] == ':')) return true;
  }
  return false;
}

StackDescription parse_ome(const std::string& shown_path, const std::string& text, std::optional<Index> wanted) {
  StackDescription stack;
  stack.program = "OME-TIFF";
  stack.exact = true;
  if (text.size() > kLongestXml) {
    stack.obstacle =
        fmt::format("has {} bytes of OME-XML, more than the {} that convoy reads", text.size(), kLongestXml);
    return stack;
  }
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = parse(document, text);
  if (!parsed) {
    stack.obstacle = fmt::format("its OME-XML is damaged at byte {}: {}", parsed.offset, parsed.description());
    return stack;
  }
  const pugi::xml_node root = first_child(document, "OME");
  if (!root) return {};
  const std::vector<Series> all = series_of(root);
  if (wanted && (*wanted < 0 || *wanted >= static_cast<Index>(all.size()))) {
    fail(shown_path, "has no image series {}; it holds {}{}{}", *wanted, all.size(), all.empty() ? "" : ": ",
         list_text(all));
  }
  if (const pugi::xml_node elsewhere = first_child(root, "BinaryOnly")) {
    stack.obstacle = fmt::format("is part of an OME-TIFF set whose description is in another file, '{}'",
                                 utf8_from(attribute(elsewhere, "MetadataFile").value_or("")));
  } else if (all.empty()) {
    stack.obstacle = "its OME-XML describes no image";
  } else if (all.size() > 1 && !wanted) {
    stack.obstacle = fmt::format("is an OME-TIFF file of {} image series; choose one, as in --series 0 ({})",
                                 all.size(), list_text(all));
  } else {
    describe_series(all[static_cast<std::size_t>(wanted.value_or(0))], all.size() > 1, stack);
  }
  return stack;
}

std::string ome_description(const Shape& shape, Element element, const ImageMetadata& metadata) {
  const Index channels = metadata.num_channels.value_or(1);
  const Index times = metadata.num_times.value_or(1);
  pugi::xml_document document;
  pugi::xml_node declaration = document.append_child(pugi::node_declaration);
  append(declaration, "version", "1.0");
  append(declaration, "encoding", "UTF-8");
  pugi::xml_node root = document.append_child("OME");
  const std::string schema = "http://www.openmicroscopy.org/Schemas/OME/2016-06";
  append(root, "xmlns", schema);
  append(root, "xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance");
  append(root, "xsi:schemaLocation", schema + " " + schema + "/ome.xsd");
  pugi::xml_node image = root.append_child("Image");
  append(image, "ID", "Image:0");
  pugi::xml_node pixels = image.append_child("Pixels");
  append(pixels, "ID", "Pixels:0");
  append(pixels, "DimensionOrder", "XYZCT");
  append(pixels, "Type", ome_type(element));
  append(pixels, "BigEndian", "false");
  for (const auto& [name, extent] :
       {std::pair("SizeX", shape.x), std::pair("SizeY", shape.y), std::pair("SizeZ", shape.z),
        std::pair("SizeC", channels), std::pair("SizeT", times)}) {
    append(pixels, name, std::to_string(extent));
  }
  if (metadata.voxel_size) append_physical(pixels, *metadata.voxel_size);
  if (metadata.time_step && !ome_time_unit(metadata.time_step->unit).empty()) {
    append(pixels, "TimeIncrement", fmt::format("{}", metadata.time_step->length));
    append(pixels, "TimeIncrementUnit", ome_time_unit(metadata.time_step->unit));
  }
  const bool has_names = static_cast<Index>(metadata.channel_names.size()) == channels;
  for (Index channel = 0; channel < channels; ++channel) {
    pugi::xml_node node = pixels.append_child("Channel");
    append(node, "ID", fmt::format("Channel:0:{}", channel));
    const std::string& name = has_names ? metadata.channel_names[static_cast<std::size_t>(channel)] : std::string();
    if (!name.empty()) append(node, "Name", name);
    append(node, "SamplesPerPixel", "1");
  }
  pugi::xml_node data = pixels.append_child("TiffData");
  append(data, "IFD", "0");
  append(data, "PlaneCount", std::to_string(shape.z * channels * times));
  std::ostringstream text;
  document.save(text, "", pugi::format_raw, pugi::encoding_utf8);
  return text.str();
}

}  // namespace convoy::io
