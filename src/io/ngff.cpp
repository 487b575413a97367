#include "io/ngff.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <filesystem>

#include "base/path_text.hpp"
#include "io/io_error.hpp"
#include "io/units.hpp"
#include "io/voxel_size.hpp"
#include "io/zarr_json.hpp"

namespace convoy::io {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// Of a group: the attributes of version 3 where both versions are there, as for arrays.
Json attributes_of(const InputFolder& folder) {
  const Json v3 = read_json(folder, "zarr.json");
  if (v3.is_null()) return read_json(folder, ".zattrs");
  require_no_extensions(folder.path(), v3);
  const Json& attributes = member(v3, "attributes");
  const Json& ome = member(attributes, "ome");
  return ome.is_null() ? attributes : ome;
}

/// The first multiscale image of a group, or null.
Json multiscale_in(const Json& attributes) {
  const Json& list = member(attributes, "multiscales");
  return list.is_array() && !list.empty() && list[0].is_object() ? list[0] : Json();
}

std::string text_member(const Json& object, const char* name) {
  return object.is_object() && object.contains(name) && object[name].is_string() ? object[name].get<std::string>() : "";
}

Json list_member(const Json& object, const char* name) {
  return object.is_object() && object.contains(name) && object[name].is_array() ? object[name] : Json::array();
}

/// Names that lead out of the store are not followed.
bool is_plain_path(const std::string& path) {
  const fs::path parts = path_from(path);
  return !path.empty() && !parts.has_root_path() &&
         std::none_of(parts.begin(), parts.end(), [](const fs::path& part) { return part == ".."; });
}

char letter_of(const Json& axis) {
  std::string name = axis.is_string() ? axis.get<std::string>() : text_member(axis, "name");
  if (name.size() == 1) name[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(name[0])));
  const std::string type = text_member(axis, "type");
  if (name == "t" || type == "time") return 'T';
  if (name == "c" || type == "channel") return 'C';
  if (name == "z" || name == "y" || name == "x") return static_cast<char>(name[0] - 'a' + 'A');
  return '?';
}

/// The names of version 3's dimensions serve where no multiscale image names the axes.
std::vector<FileAxis> axes_from(const Json& multiscale, const ZarrArray& array) {
  const std::vector<Index>& extents = array.extents;
  const Json named = list_member(multiscale, "axes");
  const Json names = named.empty() && multiscale.is_null() ? Json(array.dimension_names) : named;
  std::vector<FileAxis> axes;
  for (std::size_t i = 0; i < extents.size(); ++i) axes.push_back({'?', extents[i]});
  if (names.size() == extents.size()) {
    for (std::size_t i = 0; i < extents.size(); ++i) axes[i].name = letter_of(names[i]);
  } else if (!multiscale.is_null() && names.empty() && extents.size() == 5) {  // before version 0.3 they were fixed
    for (std::size_t i = 0; i < extents.size(); ++i) axes[i].name = "TCZYX"[i];
  }
  return axes;
}

/// The product of the scales in a list of transformations, 1 where there are none.
std::vector<double> scale_in(const Json& transformations, std::size_t num_axes, bool& found) {
  std::vector<double> scale(num_axes, 1);
  for (const Json& transformation : transformations) {
    const Json factors = list_member(transformation, "scale");
    if (text_member(transformation, "type") != "scale" || factors.size() != num_axes) continue;
    for (std::size_t i = 0; i < num_axes; ++i) scale[i] *= factors[i].is_number() ? factors[i].get<double>() : 1;
    found = true;
  }
  return scale;
}

/// Voxel size and time step of a dataset. Only what a transformation or a unit is given for is known.
void set_scales(const Json& multiscale, const Json& dataset, const std::vector<FileAxis>& axes,
                ImageMetadata& metadata) {
  bool found = false;
  const auto own = scale_in(list_member(dataset, "coordinateTransformations"), axes.size(), found);
  const auto common = scale_in(list_member(multiscale, "coordinateTransformations"), axes.size(), found);
  if (!found) return;
  const Json names = list_member(multiscale, "axes");
  std::array<double, 3> lengths{};
  std::array<std::string, 3> units{};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::string unit = names.size() == axes.size() ? text_member(names[i], "unit") : "";
    const double scale = own[i] * common[i];
    if (axes[i].name == 'T' && !unit.empty() && scale > 0) metadata.time_step = TimeStep{scale, time_unit_from(unit)};
    const std::size_t axis = std::string("ZYX").find(axes[i].name);
    if (axis == std::string::npos) continue;
    lengths[axis] = given_length(scale);
    units[axis] = unit_from(unit);
  }
  metadata.voxel_size = voxel_size_in_one_unit(lengths, units, metadata.warnings);
}

/// OMERO's labels of the channels, if all have one.
std::vector<std::string> channel_names_from(const Json& attributes) {
  std::vector<std::string> names;
  const Json channels = list_member(member(attributes, "omero"), "channels");
  for (const Json& channel : channels) {
    if (const std::string name = text_member(channel, "label"); !name.empty()) names.push_back(name);
  }
  return names.size() == channels.size() ? names : std::vector<std::string>();
}

/// The array in `folder` with what the attributes of the group it belongs to say about its dataset `name`.
ZarrImage image_of(std::shared_ptr<const InputFolder> folder, ZarrArray array, const Json& attributes,
                   const std::string& name) {
  ZarrImage image;
  const Json multiscale = multiscale_in(attributes);
  image.axes = axes_from(multiscale, array);
  for (const Json& dataset : list_member(multiscale, "datasets")) {
    if (text_member(dataset, "path") != name) continue;
    set_scales(multiscale, dataset, image.axes, image.metadata);
    image.metadata.channel_names = channel_names_from(attributes);
  }
  if (static_cast<Index>(image.metadata.channel_names.size()) != extent_of(image.axes, 'C')) {
    image.metadata.channel_names.clear();
  }
  image.array = std::move(array);
  image.folder = std::move(folder);
  return image;
}

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

/// What the group that holds the folder says; null if it is no group.
Json attributes_above(const std::string& folder) { return attributes_of(InputFolder(folder_of(folder))); }

ZarrImage find_image(const std::string& path) {
  const std::string place = without_slash(path);
  const auto folder = std::make_shared<const InputFolder>(place);
  if (auto array = read_zarr_array(*folder)) {
    return image_of(folder, std::move(*array), attributes_above(place), text_from(path_from(place).filename()));
  }
  const Json attributes = attributes_of(*folder);
  const Json datasets = list_member(multiscale_in(attributes), "datasets");
  if (!datasets.empty()) {
    const std::string name = text_member(datasets[0], "path");
    if (!is_plain_path(name)) fail(path, "its first dataset is at '{}', which is no place in the store", name);
    const std::shared_ptr<const InputFolder> inner = folder->find_folder(name);
    auto array = inner ? read_zarr_array(*inner) : std::nullopt;
    if (!array) fail(path, "its first dataset '{}' holds no array", name);
    return image_of(inner, std::move(*array), attributes, name);
  }
  const bool series = attributes.is_object() && attributes.contains("bioformats2raw.layout");
  if (series && folder->find_folder("1")) {
    fail(path, "holds several image series; name one of them, as in {}/0", place);
  }
  if (series && folder->find_folder("0")) return find_image(place + "/0");
  fail(path, "is no Zarr array and no OME-NGFF image; name an array in it, as in {}/0", place);
}

}  // namespace

ZarrImage read_zarr_metadata(const std::string& path, const std::string& axes) {
  ZarrImage image = find_image(path);
  const bool nobody_told =
      std::all_of(image.axes.begin(), image.axes.end(), [](const auto& axis) { return axis.name == '?'; });
  if (!axes.empty()) {
    image.axes = name_all_axes(path, image.axes, axes);
  } else if (nobody_told && image.axes.size() <= 3) {
    for (std::size_t i = 0; i < image.axes.size(); ++i) image.axes[i].name = "ZYX"[3 - image.axes.size() + i];
  }
  std::string seen;
  for (const FileAxis& axis : image.axes) {
    if (axis.name == '?' || seen.find(axis.name) != std::string::npos) {
      fail(path, "holds an array of {}, and does not tell which axis is which; name them, as in --axes TCZYX",
           to_text(image.axes));
    }
    seen += axis.name;
  }
  if (seen.find('X') == std::string::npos) fail(path, "has no axis x: {}", to_text(image.axes));
  return image;
}

}  // namespace convoy::io
