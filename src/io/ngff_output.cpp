#include "convoy/version.hpp"
#include "io/ngff.hpp"
#include "io/own_store.hpp"
#include "io/units.hpp"

namespace convoy::io {
namespace {

using Json = nlohmann::json;

/// Distance between the samples of an axis, 1 where it is not known.
double scale_of(const FileAxis& axis, const ImageMetadata& metadata) {
  double scale = 0;
  if (axis.name == 'T' && metadata.time_step) scale = metadata.time_step->length;
  if (metadata.voxel_size) {
    const VoxelSize& size = *metadata.voxel_size;
    if (axis.name == 'Z') scale = size.z;
    if (axis.name == 'Y') scale = size.y;
    if (axis.name == 'X') scale = size.x;
  }
  return scale > 0 ? scale : 1;
}

std::string unit_of(const FileAxis& axis, const ImageMetadata& metadata) {
  if (axis.name == 'C') return "";
  if (axis.name == 'T') return metadata.time_step ? ngff_time_unit(metadata.time_step->unit) : "";
  return metadata.voxel_size && !metadata.voxel_size->unit.empty() ? ngff_unit(metadata.voxel_size->unit) : "";
}

Json axis_json(const FileAxis& axis, const ImageMetadata& metadata) {
  Json json{{"name", std::string(1, static_cast<char>(axis.name - 'A' + 'a'))},
            {"type", axis.name == 'T'   ? "time"
                     : axis.name == 'C' ? "channel"
                                        : "space"}};
  if (const std::string unit = unit_of(axis, metadata); !unit.empty()) json["unit"] = unit;
  return json;
}

/// The names of the channels. A channel must have a colour and a window, too: white, and the range of the voxels, of
/// floats and complex numbers that of u16.
Json omero_json(Element element, const ImageMetadata& metadata) {
  const ElementFacts& facts = facts_of(is_floating(element) || is_complex(element) ? Element::u16 : element);
  const auto least = static_cast<std::int64_t>(facts.lowest), most = static_cast<std::int64_t>(facts.highest);
  Json channels = Json::array();
  for (const std::string& name : metadata.channel_names) {
    channels.push_back({{"label", name},
                        {"color", "FFFFFF"},
                        {"active", true},
                        {"window", {{"min", least}, {"max", most}, {"start", least}, {"end", most}}}});
  }
  return Json{{"channels", channels}};
}

}  // namespace

Json ngff_json(OmeZarr version, const std::string& name, const std::vector<FileAxis>& axes, Element element,
               const ImageMetadata& metadata) {
  Json list = Json::array();
  Json scale = Json::array();
  for (const FileAxis& axis : axes) {
    list.push_back(axis_json(axis, metadata));
    scale.push_back(scale_of(axis, metadata));
  }
  const Json transformation{{"type", "scale"}, {"scale", scale}};
  const Json dataset{{"path", "0"}, {"coordinateTransformations", Json::array({transformation})}};
  Json multiscale{{"name", name}, {"axes", list}, {"datasets", Json::array({dataset})}};
  Json json{{kCreatorKey, {{"name", kCreatorName}, {"version", CONVOY_VERSION}}}};
  (version == OmeZarr::v0_4 ? multiscale : json)["version"] = version == OmeZarr::v0_4 ? "0.4" : "0.5";
  json["multiscales"] = Json::array({multiscale});
  if (!metadata.channel_names.empty()) json["omero"] = omero_json(element, metadata);
  return json;
}

}  // namespace convoy::io

const char* convoy::name(OmeZarr version) { return version == OmeZarr::v0_4 ? "0.4" : "0.5"; }
