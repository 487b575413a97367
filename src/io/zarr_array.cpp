#include "io/zarr_array.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "io/input_file.hpp"
#include "io/io_error.hpp"

namespace convoy::io {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::uint64_t kLargestChunkBytes = std::uint64_t{1} << 31;  // of blosc, and of most readers

[[noreturn]] void fail_array(const ZarrArray& array, const std::string& problem) { fail(array.folder, "{}", problem); }

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// A member, or null.
const Json& member(const Json& object, const char* name) {
  static const Json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(name);
  return found == object.end() ? kNull : *found;
}

std::vector<Index> extents_from(const ZarrArray& array, const Json& json, const char* what) {
  constexpr std::size_t kMostAxes = 16;
  std::vector<Index> extents;
  const bool good = json.is_array() && !json.empty() && json.size() <= kMostAxes &&
                    std::all_of(json.begin(), json.end(), [](const Json& extent) {
                      return extent.is_number_integer() && extent.get<std::int64_t>() > 0;
                    });
  if (!good)
    fail_array(array, fmt::format("its Zarr metadata has {} {}, which are no sizes above 0", what, text_of(json)));
  for (const Json& extent : json) extents.push_back(extent.get<Index>());
  return extents;
}

void set_type_v2(ZarrArray& array, const Json& json) {
  const std::string type = json.is_string() ? json.get<std::string>() : text_of(json);
  const std::optional<Sample> sample = type.size() == 3 ? sample_of_numpy(type.substr(1)) : std::nullopt;
  if (!sample || std::string("<>|").find(type[0]) == std::string::npos) {
    fail_array(array, fmt::format("holds {}; {}", type, kReadableSamples));
  }
  array.sample = *sample;
  array.big_endian = type[0] == '>';
}

void set_type_v3(ZarrArray& array, const Json& json) {
  const std::string type = json.is_string() ? json.get<std::string>() : text_of(json);
  constexpr std::pair<const char*, Sample> kTypes[] = {
      {"uint8", Sample::u8},   {"int8", Sample::i8},   {"uint16", Sample::u16},  {"int16", Sample::i16},
      {"uint32", Sample::u32}, {"int32", Sample::i32}, {"float32", Sample::f32}, {"float64", Sample::f64}};
  for (const auto& [name, sample] : kTypes) {
    if (type != name) continue;
    array.sample = sample;
    return;
  }
  fail_array(array, fmt::format("holds {}; {}", type, kReadableSamples));
}

double fill_value_from(const ZarrArray& array, const Json& json) {
  if (json.is_null()) return 0;
  if (json.is_number()) return json.get<double>();
  if (json == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (json == "Infinity") return std::numeric_limits<double>::infinity();
  if (json == "-Infinity") return -std::numeric_limits<double>::infinity();
  fail_array(array, fmt::format("has fill value {}, which convoy does not read", text_of(json)));
}

Compressor compressor_named(const ZarrArray& array, const std::string& name) {
  if (name == "blosc") return Compressor::blosc;
  if (name == "zlib" || name == "gzip") return Compressor::zlib;
  if (name == "zstd") return Compressor::zstd;
  fail_array(array, fmt::format("is compressed with '{}'; convoy reads blosc, zlib, gzip, zstd and plain chunks: write "
                                "it again with one of them",
                                name));
}

void set_compressor_v2(ZarrArray& array, const Json& json) {
  const Json& compressor = member(json, "compressor");
  const Json& filters = member(json, "filters");
  if (!filters.is_null() && !filters.empty()) {
    fail_array(array, fmt::format("has filters {}; convoy reads arrays without filters", text_of(filters)));
  }
  if (compressor.is_null()) return;
  const Json& id = member(compressor, "id");
  array.compressor = compressor_named(array, id.is_string() ? id.get<std::string>() : text_of(compressor));
}

void set_codecs_v3(ZarrArray& array, const Json& codecs) {
  if (!codecs.is_array()) fail_array(array, "its Zarr metadata has no list of codecs");
  for (const Json& codec : codecs) {
    const Json& name_json = member(codec, "name");
    const std::string name = name_json.is_string() ? name_json.get<std::string>() : text_of(codec);
    const Json& settings = member(codec, "configuration");
    if (name == "bytes") {
      array.big_endian = member(settings, "endian") == "big";
    } else if (name == "sharding_indexed") {
      fail_array(array, "is sharded; convoy reads chunks that are files: write it again without shards");
    } else if (name == "transpose") {
      std::vector<Json> reversed;
      for (std::size_t axis = array.extents.size(); axis-- > 0;) reversed.emplace_back(axis);
      if (member(settings, "order") != Json(reversed)) {
        fail_array(array,
                   fmt::format("its chunks are transposed: {}; convoy reads C and Fortran order", text_of(settings)));
      }
      array.fortran_order = true;
    } else if (array.compressor != Compressor::none) {
      fail_array(array, fmt::format("is encoded by several codecs: {}; convoy reads one compressor", text_of(codecs)));
    } else {
      array.compressor = compressor_named(array, name);
    }
  }
}

void set_layout_v2(ZarrArray& array, const Json& json) {
  array.extents = extents_from(array, member(json, "shape"), "shape");
  array.chunk = extents_from(array, member(json, "chunks"), "chunks");
  set_type_v2(array, member(json, "dtype"));
  const Json& order = member(json, "order");
  if (order != "C" && order != "F") fail_array(array, fmt::format("has order {}; it must be C or F", text_of(order)));
  array.fortran_order = order == "F";
  set_compressor_v2(array, json);
  if (member(json, "dimension_separator") == "/") array.separator = '/';
}

void set_layout_v3(ZarrArray& array, const Json& json) {
  array.extents = extents_from(array, member(json, "shape"), "shape");
  const Json& grid = member(json, "chunk_grid");
  if (member(grid, "name") != "regular")
    fail_array(array, fmt::format("has chunk grid {}; convoy reads regular ones", text_of(grid)));
  array.chunk = extents_from(array, member(member(grid, "configuration"), "chunk_shape"), "chunk_shape");
  set_type_v3(array, member(json, "data_type"));
  set_codecs_v3(array, member(json, "codecs"));
  const Json& keys = member(json, "chunk_key_encoding");
  const Json& separator = member(member(keys, "configuration"), "separator");
  const bool is_default = member(keys, "name") != "v2";
  array.separator = separator == "." || (separator.is_null() && !is_default) ? '.' : '/';
  if (is_default) array.key_prefix = std::string("c") + array.separator;
}

/// Compares promises before memory is taken for them.
void require_plausible(const ZarrArray& array) {
  if (array.extents.size() != array.chunk.size()) {
    fail_array(array, fmt::format("has {} axes, but chunks of {}", array.extents.size(), array.chunk.size()));
  }
  std::uint64_t voxels = 1;
  for (const Index extent : array.extents) voxels = saturating_product(voxels, static_cast<std::uint64_t>(extent));
  if (saturating_product(voxels, sizeof(double)) > INT64_MAX) fail_array(array, "claims more than 2^60 voxels");
  const std::uint64_t chunk_bytes = array.chunk_bytes();
  if (chunk_bytes > kLargestChunkBytes) {
    fail_array(array, fmt::format("has chunks of {} bytes; convoy reads up to {}", chunk_bytes, kLargestChunkBytes));
  }
}

}  // namespace

std::string ZarrArray::chunk_path(const std::vector<Index>& position) const {
  return folder + "/" + file_name(position);
}

std::string ZarrArray::file_name(const std::vector<Index>& position) const {
  std::string path = key_prefix;
  for (std::size_t axis = 0; axis < position.size(); ++axis) {
    if (axis > 0) path += separator;
    path += std::to_string(position[axis]);
  }
  return path;
}

std::uint64_t ZarrArray::chunk_samples() const {
  std::uint64_t samples = 1;
  for (const Index extent : chunk) samples = saturating_product(samples, static_cast<std::uint64_t>(extent));
  return samples;
}

Json read_json(const std::string& path) {
  std::error_code problem;
  if (!fs::exists(path, problem)) return {};
  const InputFile file(path);
  constexpr std::uint64_t kLargestFile = std::uint64_t{16} << 20;
  if (file.size_bytes() > kLargestFile) {
    fail(path, "has {} bytes, more than the {} that convoy reads of JSON", file.size_bytes(), kLargestFile);
  }
  std::string text(file.size_bytes(), '\0');
  file.read(0, reinterpret_cast<std::byte*>(text.data()), text.size());
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) fail(path, "is no JSON object");
  return json;
}

std::optional<ZarrArray> read_zarr_array(const std::string& folder) {
  ZarrArray array;
  array.folder = folder;
  const Json v2 = read_json(folder + "/.zarray");
  const Json v3 = v2.is_null() ? read_json(folder + "/zarr.json") : Json();
  if (!v2.is_null()) {
    set_layout_v2(array, v2);
    array.fill_value = fill_value_from(array, member(v2, "fill_value"));
  } else if (member(v3, "node_type") == "array") {
    set_layout_v3(array, v3);
    array.fill_value = fill_value_from(array, member(v3, "fill_value"));
  } else {
    return std::nullopt;
  }
  require_plausible(array);
  return array;
}

Json zarr_array_json(const ZarrArray& array) {
  return {{"zarr_format", 2},
          {"shape", array.extents},
          {"chunks", array.chunk},
          {"dtype", numpy_type(array.sample)},
          {"order", "C"},
          {"fill_value", 0},
          {"filters", nullptr},
          {"dimension_separator", "/"},
          {"compressor", {{"id", "blosc"}, {"cname", "lz4"}, {"clevel", 5}, {"shuffle", 1}, {"blocksize", 0}}}};
}

}  // namespace convoy::io
