#include "io/axes.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "io/io_error.hpp"

namespace convoy::io {
namespace {

constexpr std::string_view kAllAxes = "TCZYX";

const FileAxis* find_axis(const std::vector<FileAxis>& axes, char name) {
  const auto axis = std::find_if(axes.begin(), axes.end(), [&](const FileAxis& one) { return one.name == name; });
  return axis == axes.end() ? nullptr : &*axis;
}

std::vector<FileAxis> longer_than_one(const std::vector<FileAxis>& axes) {
  std::vector<FileAxis> longer;
  std::copy_if(axes.begin(), axes.end(), std::back_inserter(longer),
               [](const FileAxis& axis) { return axis.extent != 1; });
  return longer;
}

/// Nothing for text that names no axes.
std::optional<std::vector<FileAxis>> parse_axes(std::string_view text) {
  std::vector<FileAxis> axes;
  while (!text.empty()) {
    const char letter = text[0] >= 'a' && text[0] <= 'z' ? static_cast<char>(text[0] - 'a' + 'A') : text[0];
    if (kAllAxes.find(letter) == std::string_view::npos || find_axis(axes, letter) != nullptr) return std::nullopt;
    text.remove_prefix(1);
    Index extent = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), extent);
    const bool has_extent = end != text.data();
    if (has_extent && (problem != std::errc() || extent < 1)) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.size() > 1 && text[0] == ',') text.remove_prefix(1);
    axes.push_back({letter, extent});
  }
  return axes;
}

/// The dimensions under the wanted names in order, if their numbers agree; else nothing.
std::vector<FileAxis> named_in_order(const std::vector<FileAxis>& described, const std::vector<FileAxis>& wanted) {
  const std::vector<FileAxis> longer = longer_than_one(described);
  std::vector<FileAxis> axes = wanted.size() == described.size() ? described : longer;
  if (wanted.size() != axes.size()) return {};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (wanted[i].extent != 0 && wanted[i].extent != axes[i].extent) return {};
    axes[i].name = wanted[i].name;
  }
  return axes;
}

/// The one extent that is not known follows from the number of planes; if all are, the slowest is made to fit.
bool fit_extents(std::vector<FileAxis>& axes, const std::vector<FileAxis>& wanted, Index num_planes) {
  const auto unknown = [](const FileAxis& axis) { return axis.extent < 1; };
  if (std::none_of(axes.begin(), axes.end(), unknown) && num_planes_of(axes) != num_planes && wanted[0].extent == 0) {
    axes[0].extent = 0;
  }
  const auto num_unknown = std::count_if(axes.begin(), axes.end(), unknown);
  if (num_unknown == 1) {
    FileAxis& axis = *std::find_if(axes.begin(), axes.end(), unknown);
    axis.extent = 1;
    axis.extent = num_planes / num_planes_of(axes);
  }
  return num_unknown <= 1 && num_planes_of(axes) == num_planes;
}

}  // namespace

std::string to_text(const std::vector<FileAxis>& axes) {
  std::string text;
  for (const FileAxis& axis : axes) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", axis.name);
    if (axis.extent != 0) text += fmt::format(" {}", axis.extent);
  }
  return text;
}

std::vector<FileAxis> axes_from_text(const std::string& axes) {
  return parse_axes(axes).value_or(std::vector<FileAxis>());
}

void require_axes(const std::string& axes) {
  const auto parsed = parse_axes(axes);
  if (parsed && (axes.empty() || find_axis(*parsed, 'X') != nullptr)) return;
  throw Error(Errc::invalid_argument,
              fmt::format("'{}' are no axes; name the file's, slowest first, each once, of T (time), C (channel), Z, Y "
                          "and X, as in TCZYX or ZCYX; X must be among them; an extent may follow, as in ZC3YX",
                          axes));
}

std::vector<FileAxis> name_all_axes(const std::string& path, std::vector<FileAxis> axes, const std::string& names) {
  const std::vector<FileAxis> wanted = axes_from_text(names);
  if (wanted.size() != axes.size()) {
    fail(path, "has {} axes ({}), but {} are named: '{}'", axes.size(), to_text(axes), wanted.size(), names);
  }
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (wanted[i].extent != 0 && wanted[i].extent != axes[i].extent) {
      fail(path, "has {} elements along its axis {}, not the {} of '{}'", axes[i].extent, i + 1, wanted[i].extent,
           names);
    }
    axes[i].name = wanted[i].name;
  }
  return axes;
}

std::vector<FileAxis> name_axes(const std::string& path, const std::vector<FileAxis>& described,
                                const std::vector<FileAxis>& wanted, Index num_planes) {
  const bool fits = !described.empty() && num_planes_of(described) == num_planes;
  if (fits) {
    const std::vector<FileAxis> longer = longer_than_one(described);
    const bool all_wanted = std::all_of(longer.begin(), longer.end(), [&](const FileAxis& axis) {
      const FileAxis* same = find_axis(wanted, axis.name);
      return same != nullptr && (same->extent == 0 || same->extent == axis.extent);
    });
    if (all_wanted) return described;
    if (auto axes = named_in_order(described, wanted); !axes.empty()) return axes;
  }
  std::vector<FileAxis> axes = wanted;
  for (FileAxis& axis : axes) {
    const FileAxis* same = find_axis(described, axis.name);
    if (axis.extent == 0 && same != nullptr && (same->extent > 1 || wanted.size() > 1)) axis.extent = same->extent;
  }
  if (axes.empty() && num_planes == 1) return {{'Z', 1}};
  if (!axes.empty() && fit_extents(axes, wanted, num_planes)) return axes;
  fail(path, "holds {} planes, which are not {}; say how many there are along each axis, as in --axes TZ10C3YX",
       num_planes, wanted.empty() ? "one, as the axes YX say" : "axes " + to_text(wanted));
}

Index extent_of(const std::vector<FileAxis>& axes, char name) {
  const FileAxis* axis = find_axis(axes, name);
  return axis == nullptr ? 1 : axis->extent;
}

Index num_planes_of(const std::vector<FileAxis>& axes) {
  std::uint64_t planes = 1;
  for (const FileAxis& axis : axes) {
    planes = saturating_product(planes, static_cast<std::uint64_t>(std::max<Index>(0, axis.extent)));
  }
  return static_cast<Index>(std::min<std::uint64_t>(planes, INT64_MAX));
}

void set_images(const std::vector<FileAxis>& axes, ImageMetadata& metadata) {
  for (const FileAxis& axis : axes) {
    if (axis.name == 'T') metadata.num_times = axis.extent;
    if (axis.name == 'C') metadata.num_channels = axis.extent;
  }
}

bool keeps_axes_order(const ImageMetadata& metadata) {
  const std::string& axes = metadata.axes;
  return axes.ends_with("YX") || (axes.ends_with('X') && axes.find('Y') == std::string::npos && metadata.num_axes == 1);
}

}  // namespace convoy::io
