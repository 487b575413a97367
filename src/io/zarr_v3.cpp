// Arrays of Zarr version 3: zarr.json. What is not understood is refused, unless it says that it need not be.
// Source: https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html and the codecs beside it.
#include <algorithm>
#include <numeric>
#include <string_view>

#include "io/zarr_json.hpp"

namespace convoy::io {
namespace {

using Json = nlohmann::json;

/// An extension point: {"name": ..., "configuration": {...}}, or the name alone.
struct Extension {
  std::string name;
  Json configuration;
};

bool need_not_be_understood(const Json& json) { return member(json, "must_understand") == false; }

Extension extension_from(const std::string& folder, const Json& json, const char* what) {
  const Json& name = json.is_string() ? json : member(json, "name");
  if (!name.is_string()) fail(folder, "its Zarr metadata has {} {}, which has no name", what, text_of(json));
  return {name.get<std::string>(), member(json, "configuration")};
}

/// "uint16": the kind's word and the number of bits. bfloat16 is an extension of that name.
struct TypeWord {
  char letter;  // of Sample's names
  const char* word;
};
constexpr TypeWord kTypeWords[] = {{'u', "uint"}, {'i', "int"}, {'f', "float"}, {'c', "complex"}};

std::string type_name(Sample sample) {
  if (sample == Sample::bf16) return "bfloat16";
  const std::string short_name = name(sample);
  const auto found = std::find_if(std::begin(kTypeWords), std::end(kTypeWords),
                                  [&](const TypeWord& type) { return type.letter == short_name[0]; });
  return found->word + short_name.substr(1);
}

std::optional<Sample> sample_of_type(const std::string& type) {
  if (type == "bool") return Sample::u8;
  if (type == "bfloat16") return Sample::bf16;
  for (const auto& [letter, word] : kTypeWords) {
    if (type.starts_with(word)) return sample_named(letter + type.substr(std::string_view(word).size()));
  }
  return std::nullopt;
}

void set_v3_type(ZarrArray& array, const Json& json) {
  const std::string type = extension_from(array.folder, json, "data_type").name;
  const std::optional<Sample> sample = sample_of_type(type);
  if (!sample) fail(array.folder, "holds {}; {}", type, kReadableSamples);
  array.sample = *sample;
}

/// Whether the codec "bytes" of these settings is big-endian.
bool is_big_endian(const std::string& folder, const Json& settings, std::size_t sample_bytes) {
  const Json& endian = member(settings, "endian");
  if (endian == "big") return true;
  if (endian == "little" || (endian.is_null() && sample_bytes == 1)) return false;
  fail(folder, "its codec 'bytes' has endian {}; it must be \"little\" or \"big\"", text_of(endian));
}

/// The axes of `order` in the order that the codec "transpose" gives them.
std::vector<int> transposed(const std::string& folder, const Json& settings, const std::vector<int>& order) {
  const Json& places = member(settings, "order");
  std::vector<int> result;
  std::vector<bool> seen(order.size(), false);
  for (const Json& place : places.is_array() ? places : Json::array()) {
    const std::uint64_t from = place.is_number_unsigned() ? place.get<std::uint64_t>() : order.size();
    if (from >= order.size() || seen[from]) break;
    seen[from] = true;
    result.push_back(order[from]);
  }
  if (!places.is_array() || result.size() != order.size() || places.size() != order.size()) {
    fail(folder, "its codec 'transpose' has order {}, which is no order of {} axes", text_of(places), order.size());
  }
  return result;
}

/// Numcodecs' codecs, which Zarr for Python names so, hold what those of version 3 do.
std::string without_prefix(const std::string& name) {
  constexpr std::string_view kPrefix = "numcodecs.";
  return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
}

void set_index_codecs(const ZarrArray& array, ZarrShards& shards, const Json& codecs) {
  if (!codecs.is_array() || codecs.empty()) fail(array.folder, "its shards have no list of index_codecs");
  for (std::size_t i = 0; i < codecs.size(); ++i) {
    const Extension codec = extension_from(array.folder, codecs[i], "index codec");
    if (i == 0 && codec.name == "bytes") {
      shards.big_endian = is_big_endian(array.folder, codec.configuration, sizeof(std::uint64_t));
    } else if (i == 1 && codec.name == "crc32c") {
      shards.has_checksum = true;
    } else {
      fail(array.folder, "its shards have index codecs {}; convoy reads 'bytes', or 'bytes' and 'crc32c'",
           text_of(codecs));
    }
  }
}

void set_codecs(ZarrArray& array, const Json& codecs);

/// The chunk becomes a shard of smaller chunks, which have codecs of their own.
void set_shards(ZarrArray& array, const Json& settings) {
  if (array.shards) fail(array.folder, "has shards inside shards; convoy reads one level of them");
  ZarrShards shards;
  shards.shape = array.chunk;
  shards.order = array.order;
  const std::vector<Index> inner = extents_from(array.folder, member(settings, "chunk_shape"), "chunk_shape");
  for (std::size_t i = 0; i < shards.order.size(); ++i) {
    const auto axis = static_cast<std::size_t>(shards.order[i]);
    if (inner.size() != shards.order.size() || shards.shape[axis] % inner[i] != 0) {
      fail(array.folder, "its shards, {}, are not made of whole chunks, {}", Json(shards.shape).dump(),
           Json(inner).dump());
    }
    array.chunk[axis] = inner[i];
  }
  const Json& location = member(settings, "index_location");
  if (!location.is_null() && location != "start" && location != "end") {
    fail(array.folder, "its shards have index_location {}; it must be \"start\" or \"end\"", text_of(location));
  }
  shards.index_first = location == "start";
  set_index_codecs(array, shards, member(settings, "index_codecs"));
  array.shards = std::move(shards);
  set_codecs(array, member(settings, "codecs"));
}

/// First those that permute, then one that makes bytes, then those that change bytes.
void set_codecs(ZarrArray& array, const Json& codecs) {
  if (!codecs.is_array()) fail(array.folder, "its Zarr metadata has no list of codecs");
  bool are_bytes = false;
  for (const Json& json : codecs) {
    const Extension codec = extension_from(array.folder, json, "codec");
    const bool is_sharding = codec.name == "sharding_indexed";
    const bool makes_bytes = codec.name == "bytes" || is_sharding;
    if (are_bytes == (makes_bytes || codec.name == "transpose")) {
      fail(array.folder, "its codec '{}' is not known to convoy, or out of place in {}", codec.name, text_of(codecs));
    }
    if (codec.name == "transpose") {
      array.order = transposed(array.folder, codec.configuration, array.order);
    } else if (is_sharding) {
      if (codecs.back() != json) {
        fail(array.folder, "its shards are encoded as a whole: {}; convoy reads shards whose chunks are",
             text_of(codecs));
      }
      set_shards(array, codec.configuration);
    } else if (makes_bytes) {
      array.big_endian = is_big_endian(array.folder, codec.configuration, size_of(array.sample));
    } else if (codec.name == "crc32c") {
      array.codecs.push_back(ByteCodec::crc32c);
    } else {
      array.codecs.push_back(byte_codec_named(array.folder, without_prefix(codec.name)));
    }
    are_bytes = are_bytes || makes_bytes;
  }
  if (!are_bytes) fail(array.folder, "its codecs make no bytes: {}", text_of(codecs));
}

void set_keys(ZarrArray& array, const Json& json) {
  const Extension keys = extension_from(array.folder, json, "chunk_key_encoding");
  if (keys.name != "default" && keys.name != "v2") {
    fail(array.folder, "has chunk_key_encoding '{}'; convoy reads 'default' and 'v2'", keys.name);
  }
  const bool is_default = keys.name == "default";
  const Json& separator = member(keys.configuration, "separator");
  if (!separator.is_null() && separator != "." && separator != "/") {
    fail(array.folder, "has a chunk_key_encoding with separator {}; it must be \".\" or \"/\"", text_of(separator));
  }
  array.separator = separator.is_null() ? (is_default ? '/' : '.') : separator.get<std::string>()[0];
  if (is_default) array.key_prefix = std::string("c") + array.separator;
}

void set_names(ZarrArray& array, const Json& names) {
  if (names.is_null()) return;
  if (!names.is_array() || names.size() != array.extents.size()) {
    fail(array.folder, "has {} axes, but dimension_names {}", array.extents.size(), text_of(names));
  }
  for (const Json& name : names) array.dimension_names.push_back(name.is_string() ? name.get<std::string>() : "");
}

void require_no_transformers(const std::string& folder, const Json& transformers) {
  for (const Json& transformer : transformers.is_array() ? transformers : Json::array()) {
    if (need_not_be_understood(transformer)) continue;
    fail(folder, "has the storage transformer {}, which must be understood and which convoy does not know",
         text_of(transformer));
  }
}

}  // namespace

void require_no_extensions(const std::string& folder, const Json& json) {
  constexpr std::string_view kKnown[] = {"zarr_format", "node_type",       "attributes",          "shape",
                                         "data_type",   "chunk_grid",      "chunk_key_encoding",  "codecs",
                                         "fill_value",  "dimension_names", "storage_transformers"};
  if (member(json, "zarr_format") != 3) {
    fail(folder, "its zarr.json is of Zarr version {}; it must be 3", text_of(member(json, "zarr_format")));
  }
  for (const auto& [name, value] : json.items()) {
    const bool known = std::find(std::begin(kKnown), std::end(kKnown), name) != std::end(kKnown);
    if (known || need_not_be_understood(value)) continue;
    if (name == "consolidated_metadata") continue;  // never needed: every node has its own
    fail(folder, "uses the Zarr extension '{}', which must be understood and which convoy does not know", name);
  }
}

ZarrArray zarr_array_from_v3(const std::string& folder, const Json& json) {
  ZarrArray array;
  array.folder = folder;
  array.version = 3;
  require_no_transformers(folder, member(json, "storage_transformers"));
  array.extents = extents_from(folder, member(json, "shape"), "shape");
  const Extension grid = extension_from(folder, member(json, "chunk_grid"), "chunk_grid");
  if (grid.name != "regular") fail(folder, "has chunk_grid '{}'; convoy reads 'regular'", grid.name);
  array.chunk = extents_from(folder, member(grid.configuration, "chunk_shape"), "chunk_shape");
  set_v3_type(array, member(json, "data_type"));
  if (array.extents.size() != array.chunk.size()) {
    fail(folder, "has {} axes, but chunks of {}", array.extents.size(), array.chunk.size());
  }
  array.order.resize(array.extents.size());
  std::iota(array.order.begin(), array.order.end(), 0);
  set_codecs(array, member(json, "codecs"));
  set_keys(array, member(json, "chunk_key_encoding"));
  set_names(array, member(json, "dimension_names"));
  array.fill_value = fill_value_from(array, member(json, "fill_value"));
  require_plausible(array);
  return array;
}

Json zarr_v3_json(const ZarrArray& array) {
  const Json bytes{{"name", "bytes"}, {"configuration", {{"endian", "little"}}}};
  const Json blosc{{"name", "blosc"},
                   {"configuration",
                    {{"typesize", size_of(array.sample)},
                     {"cname", "lz4"},
                     {"clevel", 5},
                     {"shuffle", "shuffle"},
                     {"blocksize", 0}}}};
  const Json checksum = Json::object({{"name", "crc32c"}});
  const Json shards{{"name", "sharding_indexed"},
                    {"configuration",
                     {{"chunk_shape", array.chunk},
                      {"codecs", Json::array({bytes, blosc})},
                      {"index_codecs", Json::array({bytes, checksum})},
                      {"index_location", "end"}}}};
  return {{"zarr_format", 3},
          {"node_type", "array"},
          {"shape", array.extents},
          {"data_type", type_name(array.sample)},
          {"chunk_grid", {{"name", "regular"}, {"configuration", {{"chunk_shape", array.file_shape()}}}}},
          {"chunk_key_encoding", {{"name", "default"}, {"configuration", {{"separator", "/"}}}}},
          {"fill_value", zero_json(array.sample)},
          {"codecs", Json::array({shards})},
          {"dimension_names", array.dimension_names},
          {"attributes", Json::object()},
          {"storage_transformers", Json::array()}};
}

}  // namespace convoy::io
