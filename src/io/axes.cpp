#include "io/axes.hpp"

#include <algorithm>
#include <string_view>

#include "io/io_error.hpp"

namespace convoy::io {
namespace {

constexpr std::string_view kAllAxes = "TCZYX";

bool has_name(const FileAxis& axis, const std::string& names) { return names.find(axis.name) != std::string::npos; }

std::vector<FileAxis> longer_than_one(const std::vector<FileAxis>& axes) {
  std::vector<FileAxis> longer;
  std::copy_if(axes.begin(), axes.end(), std::back_inserter(longer),
               [](const FileAxis& axis) { return axis.extent != 1; });
  return longer;
}

}  // namespace

std::string to_text(const std::vector<FileAxis>& axes) {
  std::string text;
  for (const FileAxis& axis : axes) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", axis.name, axis.extent);
  return text;
}

void require_axes(const std::string& axes) {
  bool good = true;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    good = good && kAllAxes.find(axes[i]) != std::string_view::npos && axes.find(axes[i], i + 1) == std::string::npos;
  }
  if (good && (axes.empty() || axes.find('X') != std::string::npos)) return;
  throw Error(Errc::invalid_argument,
              fmt::format("'{}' are no axes; name the file's, slowest first, each once, of T (time), C (channel), Z, Y "
                          "and X, as in TCZYX or ZCYX; X must be among them",
                          axes));
}

std::vector<FileAxis> name_axes(const std::string& path, std::vector<FileAxis> axes, const std::string& names) {
  const std::vector<FileAxis> longer = longer_than_one(axes);
  if (std::all_of(longer.begin(), longer.end(), [&](const FileAxis& axis) { return has_name(axis, names); })) {
    return axes;
  }
  return name_all_axes(path, names.size() == axes.size() ? axes : longer, names);
}

std::vector<FileAxis> name_all_axes(const std::string& path, std::vector<FileAxis> axes, const std::string& names) {
  if (names.size() != axes.size()) {
    fail(path, "has {} axes ({}), but {} are named: '{}'", axes.size(), to_text(axes), names.size(), names);
  }
  for (std::size_t i = 0; i < axes.size(); ++i) axes[i].name = names[i];
  return axes;
}

Index extent_of(const std::vector<FileAxis>& axes, char name) {
  const auto axis = std::find_if(axes.begin(), axes.end(), [&](const FileAxis& one) { return one.name == name; });
  return axis == axes.end() ? 1 : axis->extent;
}

void set_images(const std::vector<FileAxis>& axes, ImageMetadata& metadata) {
  for (const FileAxis& axis : axes) {
    if (axis.name == 'T') metadata.num_times = axis.extent;
    if (axis.name == 'C') metadata.num_channels = axis.extent;
  }
}

}  // namespace convoy::io
