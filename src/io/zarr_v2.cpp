// Arrays of Zarr version 2: .zarray. Source: https://zarr-specs.readthedocs.io/en/latest/v2/v2.0.html
#include <algorithm>
#include <numeric>

#include "io/zarr_json.hpp"

namespace convoy::io {
namespace {

using Json = nlohmann::json;

void set_v2_type(ZarrArray& array, const Json& json) {
  const std::string type = json.is_string() ? json.get<std::string>() : text_of(json);
  const std::optional<Sample> sample = type.size() >= 3 ? sample_of_numpy(type.substr(1)) : std::nullopt;
  if (!sample || std::string("<>|").find(type[0]) == std::string::npos) {
    fail(array.folder, "holds {}; {}", type, kReadableSamples);
  }
  array.sample = *sample;
  array.big_endian = type[0] == '>';
}

void set_order(ZarrArray& array, const Json& json) {
  if (json != "C" && json != "F") fail(array.folder, "has order {}; it must be C or F", text_of(json));
  array.order.resize(array.extents.size());
  std::iota(array.order.begin(), array.order.end(), 0);
  if (json == "F") std::reverse(array.order.begin(), array.order.end());
}

void set_compressor(ZarrArray& array, const Json& json) {
  const Json& compressor = member(json, "compressor");
  const Json& filters = member(json, "filters");
  if (!filters.is_null() && !filters.empty()) {
    fail(array.folder, "has filters {}; convoy reads arrays without filters", text_of(filters));
  }
  if (compressor.is_null()) return;
  const Json& id = member(compressor, "id");
  array.codecs.push_back(byte_codec_named(array.folder, id.is_string() ? id.get<std::string>() : text_of(compressor)));
}

void set_separator(ZarrArray& array, const Json& json) {
  if (json.is_null() || json == ".") return;
  if (json != "/") fail(array.folder, "has dimension_separator {}; it must be \".\" or \"/\"", text_of(json));
  array.separator = '/';
}

}  // namespace

ZarrArray zarr_array_from_v2(const std::string& folder, const Json& json) {
  ZarrArray array;
  array.folder = folder;
  if (member(json, "zarr_format") != 2) {
    fail(folder, "its .zarray is of Zarr version {}; it must be 2", text_of(member(json, "zarr_format")));
  }
  array.extents = extents_from(folder, member(json, "shape"), "shape");
  array.chunk = extents_from(folder, member(json, "chunks"), "chunks");
  set_v2_type(array, member(json, "dtype"));
  set_order(array, member(json, "order"));
  set_compressor(array, json);
  set_separator(array, member(json, "dimension_separator"));
  array.fill_value = fill_value_from(array, member(json, "fill_value"));
  require_plausible(array);
  return array;
}

Json zarr_v2_json(const ZarrArray& array) {
  return {{"zarr_format", 2},
          {"shape", array.extents},
          {"chunks", array.chunk},
          {"dtype", numpy_type(element_for(array.sample))},
          {"order", "C"},
          {"fill_value", zero_json(array.sample)},
          {"filters", nullptr},
          {"dimension_separator", "/"},
          {"compressor", {{"id", "blosc"}, {"cname", "lz4"}, {"clevel", 5}, {"shuffle", 1}, {"blocksize", 0}}}};
}

}  // namespace convoy::io
