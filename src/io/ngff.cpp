// OME-NGFF: which array of a Zarr group is the image, what its axes are, and how large its voxels.
#include <algorithm>
#include <cmath>
#include <filesystem>

#include "convoy/version.hpp"
#include "io/io_error.hpp"
#include "io/own_store.hpp"
#include "io/units.hpp"
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

/// The group's first multiscale image, or null.
Json multiscale_of(const InputFolder& folder) {
  const Json attributes = attributes_of(folder);
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
  const fs::path parts(path);
  return !path.empty() && parts.is_relative() &&
         std::none_of(parts.begin(), parts.end(), [](const fs::path& part) { return part == ".."; });
}

char letter_of(const Json& axis) {
  const std::string name = axis.is_string() ? axis.get<std::string>() : text_member(axis, "name");
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

std::optional<VoxelSize> voxel_size_from(const Json& multiscale, const Json& dataset,
                                         const std::vector<FileAxis>& axes) {
  bool found = false;
  const auto own = scale_in(list_member(dataset, "coordinateTransformations"), axes.size(), found);
  const auto common = scale_in(list_member(multiscale, "coordinateTransformations"), axes.size(), found);
  const Json names = list_member(multiscale, "axes");
  VoxelSize size;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const double length = own[i] * common[i];
    if (!std::isfinite(length) || length <= 0) return std::nullopt;
    if (axes[i].name == 'Z') size.z = length;
    if (axes[i].name == 'Y') size.y = length;
    if (axes[i].name == 'X') size.x = length;
    if (axes[i].name == 'X' && names.size() == axes.size()) size.unit = unit_from(text_member(names[i], "unit"));
  }
  if (!found) return std::nullopt;
  return size;
}

/// The array in `folder` with what `multiscale`, of the group it belongs to, says about its dataset `name`.
ZarrImage image_of(std::shared_ptr<const InputFolder> folder, ZarrArray array, const Json& multiscale,
                   const std::string& name) {
  ZarrImage image;
  image.axes = axes_from(multiscale, array);
  for (const Json& dataset : list_member(multiscale, "datasets")) {
    if (text_member(dataset, "path") == name) image.voxel_size = voxel_size_from(multiscale, dataset, image.axes);
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
Json multiscale_above(const fs::path& folder) {
  const fs::path above = folder.has_parent_path() ? folder.parent_path() : fs::path(".");
  return multiscale_of(InputFolder(above.string()));
}

ZarrImage find_image(const std::string& path) {
  const std::string place = without_slash(path);
  const auto folder = std::make_shared<const InputFolder>(place);
  if (auto array = read_zarr_array(*folder)) {
    return image_of(folder, std::move(*array), multiscale_above(place), fs::path(place).filename().string());
  }
  const Json attributes = attributes_of(*folder);
  const Json multiscale = multiscale_of(*folder);
  const Json datasets = list_member(multiscale, "datasets");
  if (!datasets.empty()) {
    const std::string name = text_member(datasets[0], "path");
    if (!is_plain_path(name)) fail(path, "its first dataset is at '{}', which is no place in the store", name);
    const std::shared_ptr<const InputFolder> inner = folder->find_folder(name);
    auto array = inner ? read_zarr_array(*inner) : std::nullopt;
    if (!array) fail(path, "its first dataset '{}' holds no array", name);
    return image_of(inner, std::move(*array), multiscale, name);
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

nlohmann::json ngff_json(const std::string& name, const std::vector<FileAxis>& axes,
                         const std::optional<VoxelSize>& voxel_size) {
  Json list = Json::array();
  Json scale = Json::array();
  for (const FileAxis& axis : axes) {
    const bool spatial = axis.name != 'T' && axis.name != 'C';
    Json entry{{"name", std::string(1, static_cast<char>(axis.name - 'A' + 'a'))},
               {"type", axis.name == 'T'   ? "time"
                        : axis.name == 'C' ? "channel"
                                           : "space"}};
    if (spatial && voxel_size && !voxel_size->unit.empty()) entry["unit"] = ngff_unit(voxel_size->unit);
    list.push_back(entry);
    const VoxelSize size = voxel_size.value_or(VoxelSize{});
    scale.push_back(axis.name == 'Z' ? size.z : axis.name == 'Y' ? size.y : axis.name == 'X' ? size.x : 1.0);
  }
  const Json transformation{{"type", "scale"}, {"scale", scale}};
  const Json dataset{{"path", "0"}, {"coordinateTransformations", Json::array({transformation})}};
  const Json multiscale{{"version", "0.4"}, {"name", name}, {"axes", list}, {"datasets", Json::array({dataset})}};
  return Json{{"multiscales", Json::array({multiscale})},
              {kCreatorKey, {{"name", kCreatorName}, {"version", CONVOY_VERSION}}}};
}

}  // namespace convoy::io
