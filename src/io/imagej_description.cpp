// ImageJ's description of a stack, lines of key=value, and SCIFIO's, which looks alike.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

#include "io/tiff_description.hpp"
#include "io/units.hpp"
#include "io/voxel_size.hpp"

namespace convoy::io {
namespace {

void append_utf8(std::string& text, char32_t point) {
  const auto follow = [&](int shift) { text += static_cast<char>(0x80 | (point >> shift & 0x3F)); };
  if (point < 0x80) {
    text += static_cast<char>(point);
  } else if (point < 0x800) {
    text += static_cast<char>(0xC0 | point >> 6);
    follow(0);
  } else if (point < 0x10000) {
    text += static_cast<char>(0xE0 | point >> 12);
    follow(6);
    follow(0);
  } else {
    text += static_cast<char>(0xF0 | point >> 18);
    follow(12);
    follow(6);
    follow(0);
  }
}

/// Halves of pairs that stand alone are left out.
std::string utf8_from_utf16(const std::u16string& units) {
  std::string text;
  for (std::size_t i = 0; i < units.size(); ++i) {
    const bool first_half = (units[i] & 0xFC00) == 0xD800;
    const bool pair = first_half && i + 1 < units.size() && (units[i + 1] & 0xFC00) == 0xDC00;
    if (pair) {
      append_utf8(text, 0x10000U + ((units[i] & 0x3FFU) << 10 | (units[i + 1] & 0x3FFU)));
      ++i;
    } else if ((units[i] & 0xF800) != 0xD800) {
      append_utf8(text, units[i]);
    }
  }
  return text;
}

/// Text in which characters beyond ASCII may be written as \u00B5; in UTF-8.
std::string unescaped(std::string_view text) {
  std::string result;
  std::u16string escapes;
  const auto finish = [&] { result += utf8_from_utf16(std::exchange(escapes, {})); };
  while (!text.empty()) {
    unsigned code = 0;
    const char* digits = text.data() + 2;
    if (text.size() >= 6 && text.starts_with("\\u") &&
        std::from_chars(digits, digits + 4, code, 16).ptr == digits + 4) {
      escapes += static_cast<char16_t>(code);
      text.remove_prefix(6);
      continue;
    }
    finish();
    result += text[0];
    text.remove_prefix(1);
  }
  finish();
  return result;
}

/// The code points of UTF-8; what is no valid UTF-8 has been taken as Latin-1.
std::u32string code_points(const std::string& text) {
  std::u32string points;
  for (const char c : utf8_from(text)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80)
      points += byte;
    else if (byte >= 0xC0)
      points += byte & (byte < 0xE0 ? 0x1FU : byte < 0xF0 ? 0x0FU : 0x07U);
    else if (!points.empty())
      points.back() = points.back() << 6 | (byte & 0x3FU);
  }
  return points;
}

std::u16string utf16_from(const std::string& text) {
  std::u16string units;
  for (const char32_t point : code_points(text)) {
    if (point < 0x10000) {
      units += static_cast<char16_t>(point);
    } else {
      units += static_cast<char16_t>(0xD7C0 + (point >> 10));
      units += static_cast<char16_t>(0xDC00 + (point & 0x3FF));
    }
  }
  return units;
}

/// A line of the description: ASCII, other characters as \u00B5.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char16_t unit : utf16_from(text)) {
    if (unit == '\n' || unit == '\r') continue;
    result +=
        unit < 0x80 ? std::string(1, static_cast<char>(unit)) : fmt::format("\\u{:04X}", static_cast<unsigned>(unit));
  }
  return result;
}

std::string unit_of_line(std::string_view text, std::string_view key, const std::string& fallback) {
  const auto value = line_value(text, key);
  return value ? unit_from(unescaped(*value)) : fallback;
}

void set_voxel_size(std::string_view text, const PixelsPerUnit& resolution, StackDescription& stack) {
  const auto spacing = line_value(text, "spacing");
  if (!line_value(text, "unit") && !spacing) return;
  const auto size_from = [](double pixels_per_unit) { return pixels_per_unit > 0 ? 1 / pixels_per_unit : 1; };
  const std::string unit = unit_of_line(text, "unit", "");
  const double z = spacing ? given_length(number_or<double>(spacing, NAN)) : 1;
  stack.metadata.voxel_size = voxel_size_in_one_unit(
      {z, size_from(resolution.y), size_from(resolution.x)},
      {unit_of_line(text, "zunit", unit), unit_of_line(text, "yunit", unit), unit}, stack.metadata.warnings);
}

void set_time_step(std::string_view text, StackDescription& stack) {
  const double interval = number_or<double>(line_value(text, "finterval"), 0);
  if (!(interval > 0) || !std::isfinite(interval)) return;
  stack.metadata.time_step = TimeStep{interval, time_unit_from(unescaped(line_value(text, "tunit").value_or("")))};
}

/// ImageJ keeps signed 16 bit voxels as unsigned ones and a straight line that leads back.
void set_calibration(std::string_view text, StackDescription& stack) {
  const auto function = number_in<int>(line_value(text, "cf").value_or(""));
  if (!function) return;
  const double offset = number_or<double>(line_value(text, "c0"), 0);
  const double slope = number_or<double>(line_value(text, "c1"), 1);
  if (*function == 0 && offset == -32768 && slope == 1) {
    stack.signed_as_u16 = true;
  } else {
    stack.metadata.warnings.push_back("the voxels are read as they are stored, without ImageJ's intensity calibration");
  }
}

char axis_letter(std::string_view name) {
  if (name == "Time") return 'T';
  if (name == "Channel") return 'C';
  return name.size() == 1 && std::string_view("XYZ").find(name[0]) != std::string_view::npos ? name[0] : '?';
}

std::vector<std::string_view> at_commas(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    parts.push_back(text.substr(0, text.find(',')));
    text.remove_prefix(std::min(text.size(), parts.back().size() + 1));
  }
  return parts;
}

/// What the line "key=a,b,c" says for the axes, which begin with the fastest.
std::string_view value_at(std::string_view text, std::string_view key, std::size_t number) {
  const auto parts = at_commas(line_value(text, key).value_or(""));
  return number < parts.size() ? parts[number] : std::string_view();
}

}  // namespace

StackDescription parse_imagej(std::string_view text, const PixelsPerUnit& resolution) {
  StackDescription stack;
  stack.program = "ImageJ";
  stack.contiguous = true;
  const auto images = number_or<Index>(line_value(text, "images"), 1);
  const auto frames = number_or<Index>(line_value(text, "frames"), 1);
  const auto slices = number_or<Index>(line_value(text, "slices"), 1);
  const auto channels = number_or<Index>(line_value(text, "channels"), 1);
  stack.axes = {{'T', frames}, {'Z', slices}, {'C', channels}};
  const bool has_images_only = frames == 1 && slices == 1 && channels == 1;
  if (has_images_only) stack.axes[1].extent = images;
  set_voxel_size(text, resolution, stack);
  set_time_step(text, stack);
  set_calibration(text, stack);
  return stack;
}

StackDescription parse_scifio(std::string_view text) {
  StackDescription stack;
  stack.program = "SCIFIO";
  stack.exact = true;
  const auto names = at_commas(line_value(text, "axes").value_or(""));
  if (names.empty()) {
    stack = parse_imagej(text, {});
    stack.program = "SCIFIO";
    return stack;
  }
  std::array<double, 3> lengths{};
  std::array<std::string, 3> units;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const char letter = axis_letter(names[i]);
    const auto extent = number_or<Index>(value_at(text, "lengths", i), 0);
    const std::string_view unit = value_at(text, "units", i);
    const auto scale = number_in<double>(value_at(text, "scales", i));
    const std::size_t space = std::string_view("ZYX").find(letter);
    if (space != std::string_view::npos && scale) {
      lengths[space] = given_length(*scale);
      units[space] = unit == "null" ? "" : unit_from(unescaped(unit));
    }
    if (letter == 'X') stack.page_x = extent;
    if (letter == 'Y') stack.page_y = extent;
    if (letter == 'T' && scale && *scale > 0 && unit != "null" && !unit.empty()) {
      stack.metadata.time_step = TimeStep{*scale, time_unit_from(unescaped(unit))};
    }
    if (letter != 'X' && letter != 'Y') stack.axes.insert(stack.axes.begin(), {letter, extent});
  }
  const bool planes_are_pages = names.size() > 1 && names[0] == "X" && names[1] == "Y";
  if (!planes_are_pages) stack.obstacle = "its SCIFIO description says that its axes do not begin with X and Y";
  if (lengths != std::array<double, 3>{}) {
    stack.metadata.voxel_size = voxel_size_in_one_unit(lengths, units, stack.metadata.warnings);
  }
  return stack;
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
    if (!metadata.voxel_size->unit.empty()) text += fmt::format("unit={}\n", escaped(metadata.voxel_size->unit));
    if (metadata.voxel_size->z > 0) text += fmt::format("spacing={}\n", metadata.voxel_size->z);
  }
  if (metadata.time_step) {
    const TimeStep& step = *metadata.time_step;
    // ImageJ counts in seconds unless it says otherwise, which few readers look for.
    const bool below_seconds = step.unit == "ms" || step.unit == "us" || step.unit == "ns";
    const double length = below_seconds ? converted_time(step.length, step.unit, "s").value_or(0) : step.length;
    text += fmt::format("finterval={}\n", length);
    if (!below_seconds && step.unit != "s") text += fmt::format("tunit={}\n", escaped(step.unit));
  }
  return text + "loop=false\n";
}

/// Channel names stand in for labels: ImageJ has no other place for them.
ImagejLabels imagej_labels(const Shape& shape, const ImageMetadata& metadata) {
  const auto channels = static_cast<std::size_t>(metadata.num_channels.value_or(1));
  const auto planes = static_cast<std::size_t>(shape.z);
  const auto times = static_cast<std::size_t>(metadata.num_times.value_or(1));
  const bool has_labels = metadata.plane_labels.size() == times * channels * planes;
  const bool has_names = metadata.channel_names.size() == channels;
  if (!has_labels && !has_names) return {};
  ImagejLabels stored;
  stored.counts = {12};
  stored.bytes = "JIJIlbal";  // read as little-endian numbers: "IJIJ", "labl"
  const auto append = [&](std::uint32_t value, int width) {
    for (int i = 0; i < width; ++i) stored.bytes += static_cast<char>(value >> (8 * i) & 0xFF);
  };
  append(static_cast<std::uint32_t>(times * channels * planes), 4);
  for (std::size_t time = 0; time < times; ++time) {
    for (std::size_t z = 0; z < planes; ++z) {
      for (std::size_t channel = 0; channel < channels; ++channel) {  // the order of the pages
        const std::u16string label =
            utf16_from(has_labels ? metadata.plane_labels[(time * channels + channel) * planes + z]
                                  : metadata.channel_names[channel]);
        for (const char16_t unit : label) append(unit, 2);
        stored.counts.push_back(static_cast<std::uint32_t>(2 * label.size()));
      }
    }
  }
  return stored;
}

/// Source: ij.io.TiffDecoder.getMetaData.
std::vector<std::string> labels_from_imagej(const ImagejLabels& stored, bool big_endian) {
  const auto unit_at = [&](std::size_t at) {
    const auto byte = [&](std::size_t i) {
      return i < stored.bytes.size() ? static_cast<unsigned char>(stored.bytes[i]) : 0U;
    };
    return big_endian ? byte(at) << 8 | byte(at + 1) : byte(at) | byte(at + 1) << 8;
  };
  const std::size_t num_kinds = stored.counts.empty() || stored.counts[0] < 12 ? 0 : (stored.counts[0] - 4) / 8;
  std::size_t entry = 1;
  std::size_t at = num_kinds == 0 ? 0 : stored.counts[0];
  std::vector<std::string> labels;
  for (std::size_t kind = 0; kind < num_kinds && 12 + 8 * kind <= stored.bytes.size(); ++kind) {
    const std::string name = stored.bytes.substr(4 + 8 * kind, 4);
    const std::size_t number = big_endian ? unit_at(8 + 8 * kind) << 16 | unit_at(10 + 8 * kind)
                                          : unit_at(10 + 8 * kind) << 16 | unit_at(8 + 8 * kind);
    for (std::size_t i = 0; i < number && entry < stored.counts.size(); ++i, at += stored.counts[entry++]) {
      if (at + stored.counts[entry] > stored.bytes.size()) return {};
      if (name != "labl" && name != "lbal") continue;
      std::u16string text;
      for (std::size_t unit = 0; unit + 1 < stored.counts[entry]; unit += 2) {
        text += static_cast<char16_t>(unit_at(at + unit));
      }
      labels.push_back(utf8_from(utf8_from_utf16(text)));
    }
  }
  return labels;
}

ImageMetadata with_channel_names(ImageMetadata metadata, Index channels, Index planes) {
  std::vector<std::string> names;
  const std::vector<std::string>& labels = metadata.plane_labels;
  for (std::size_t plane = 0; plane < labels.size(); ++plane) {
    const std::size_t channel = plane / static_cast<std::size_t>(planes) % static_cast<std::size_t>(channels);
    if (channel == names.size()) names.push_back(labels[plane]);
    if (labels[plane] != names[channel]) return metadata;
  }
  const bool distinct = channels > 1 && std::adjacent_find(names.begin(), names.end()) == names.end();
  if (!distinct) return metadata;
  metadata.channel_names = std::move(names);
  metadata.plane_labels.clear();
  return metadata;
}

}  // namespace convoy::io
