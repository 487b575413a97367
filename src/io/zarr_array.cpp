#include "io/zarr_array.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/json_text.hpp"
#include "io/io_error.hpp"
#include "io/zarr_json.hpp"

namespace convoy::io {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kLargestChunkBytes = std::uint64_t{1} << 31;  // of blosc, and of most readers
constexpr std::uint64_t kLargestIndexBytes = std::uint64_t{64} << 20;

std::uint64_t product_of(const std::vector<Index>& extents) {
  std::uint64_t product = 1;
  for (const Index extent : extents) product = saturating_product(product, static_cast<std::uint64_t>(extent));
  return product;
}

/// "0x7fc00000": the bits of a float of that many digits.
std::optional<double> float_from_bits(const std::string& text, Sample sample) {
  if (!text.starts_with("0x") || text.size() != 2 + 2 * size_of(sample)) return std::nullopt;
  std::uint64_t bits = 0;
  const char* end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data() + 2, end, bits, 16);
  if (problem != std::errc() || rest != end) return std::nullopt;
  if (sample == Sample::f16) return Float16::from_bits(static_cast<std::uint16_t>(bits));
  if (sample == Sample::bf16) return BFloat16::from_bits(static_cast<std::uint16_t>(bits));
  if (sample == Sample::f32) return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
  return std::bit_cast<double>(bits);
}

std::optional<double> float_from_text(const std::string& text, Sample sample) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  return float_from_bits(text, sample);
}

Sample part_sample(Sample sample) { return sample_for(part_of(element_for(sample))); }

bool is_whole_between(double value, double least, double most) {
  return value == std::floor(value) && value >= least && value <= most;
}

bool can_be(Sample sample, double value) {
  constexpr double kLargestExact = 0x1p53;  // of 64 bit integers that f64 holds
  if (sample == Sample::u64) return is_whole_between(value, 0, kLargestExact);
  if (sample == Sample::i64) return is_whole_between(value, -kLargestExact, kLargestExact);
  const ElementFacts& facts = facts_of(element_for(sample));
  return is_floating(facts.element) || is_complex(facts.element) ||
         is_whole_between(value, facts.lowest, facts.highest);
}

}  // namespace

const Json& member(const Json& object, const char* name) {
  static const Json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(name);
  return found == object.end() ? kNull : *found;
}

std::string text_of(const Json& json) {
  constexpr std::size_t kLongest = 200;
  std::string text = json.dump(-1, ' ', true, Json::error_handler_t::replace);
  return text.size() <= kLongest ? text : text.substr(0, kLongest) + " ...";
}

std::vector<Index> extents_from(const std::string& folder, const Json& json, const char* what) {
  constexpr std::size_t kMostAxes = 16;
  std::vector<Index> extents;
  const bool good = json.is_array() && !json.empty() && json.size() <= kMostAxes &&
                    std::all_of(json.begin(), json.end(), [](const Json& extent) {
                      return extent.is_number_integer() && extent.get<std::int64_t>() > 0;
                    });
  if (!good) fail(folder, "its Zarr metadata has {} {}, which are no sizes above 0", what, text_of(json));
  for (const Json& extent : json) extents.push_back(extent.get<Index>());
  return extents;
}

double fill_value_from(const ZarrArray& array, const Json& json) {
  std::optional<double> value;
  const bool is_float = is_stored_as_is(array.sample) && is_floating(element_for(array.sample));
  if (json.is_null()) value = 0;
  if (json.is_boolean()) value = json.get<bool>() ? 1 : 0;
  if (json.is_number()) value = json.get<double>();
  // Of a complex number: real and imaginary part, which are the same in what is read (0, NaN).
  const bool is_pair = is_stored_as_is(array.sample) && is_complex(element_for(array.sample)) && json.is_array();
  if (is_pair && json.size() == 2 && json[0] == json[1]) {
    if (json[0].is_number()) value = json[0].get<double>();
    if (json[0].is_string()) value = float_from_text(json[0].get<std::string>(), part_sample(array.sample));
  }
  if (json.is_string() && is_float) value = float_from_text(json.get<std::string>(), array.sample);
  if (value && can_be(array.sample, *value)) return *value;
  fail(array.folder, "has fill value {}, which convoy does not read for voxels of {}", text_of(json),
       name(array.sample));
}

Json zero_json(Sample sample) {
  return is_stored_as_is(sample) && is_complex(element_for(sample)) ? Json::array({0.0, 0.0}) : Json(0);
}

ByteCodec byte_codec_named(const std::string& folder, const std::string& name) {
  if (name == "blosc") return ByteCodec::blosc;
  if (name == "zlib" || name == "gzip") return ByteCodec::deflate;
  if (name == "zstd") return ByteCodec::zstd;
  fail(
      folder,
      "is compressed with '{}'; convoy reads blosc, zlib, gzip, zstd and plain chunks: write it again with one of them",
      name);
}

void require_plausible(const ZarrArray& array) {
  if (array.extents.size() != array.chunk.size()) {
    fail(array.folder, "has {} axes, but chunks of {}", array.extents.size(), array.chunk.size());
  }
  const std::uint64_t voxels = product_of(array.extents);
  if (saturating_product(voxels, sizeof(double)) > INT64_MAX) fail(array.folder, "claims more than 2^60 voxels");
  const std::uint64_t chunk_bytes = array.chunk_bytes();
  if (chunk_bytes > kLargestChunkBytes) {
    fail(array.folder, "has chunks of {} bytes; convoy reads up to {}", chunk_bytes, kLargestChunkBytes);
  }
  if (!array.shards) return;
  const std::uint64_t index_bytes = array.shards->index_bytes(array.chunk);
  if (index_bytes > kLargestIndexBytes) {
    fail(array.folder, "has shards of {} chunks, the index of which takes {} bytes; convoy reads up to {}",
         array.shards->num_chunks(array.chunk), index_bytes, kLargestIndexBytes);
  }
}

std::uint64_t ZarrShards::num_chunks(const std::vector<Index>& chunk) const {
  std::vector<Index> counts(shape);
  for (std::size_t axis = 0; axis < counts.size(); ++axis) counts[axis] /= chunk[axis];
  return product_of(counts);
}

std::uint64_t ZarrShards::index_bytes(const std::vector<Index>& chunk) const {
  constexpr std::uint64_t kEntryBytes = 2 * sizeof(std::uint64_t);
  return saturating_sum(saturating_product(num_chunks(chunk), kEntryBytes), has_checksum ? kChecksumBytes : 0);
}

Index ZarrArray::num_files(std::size_t axis) const {
  const Index extent = file_shape()[axis];
  return (extents[axis] - 1) / extent + 1;
}

std::uint64_t ZarrArray::num_files() const {
  std::uint64_t count = 1;
  for (std::size_t axis = 0; axis < extents.size(); ++axis) {
    count = saturating_product(count, static_cast<std::uint64_t>(num_files(axis)));
  }
  return count;
}

std::uint64_t ZarrArray::file_number(const std::vector<Index>& chunk_position) const {
  std::uint64_t number = 0;
  for (std::size_t axis = 0; axis < extents.size(); ++axis) {
    number = number * static_cast<std::uint64_t>(num_files(axis)) +
             static_cast<std::uint64_t>(chunk_position[axis] / chunks_per_file(axis));
  }
  return number;
}

std::uint64_t ZarrArray::place_in_file(const std::vector<Index>& chunk_position) const {
  std::uint64_t place = 0;
  for (const int counted : shards ? shards->order : std::vector<int>()) {
    const auto axis = static_cast<std::size_t>(counted);
    const Index chunks = chunks_per_file(axis);
    place = place * static_cast<std::uint64_t>(chunks) + static_cast<std::uint64_t>(chunk_position[axis] % chunks);
  }
  return place;
}

std::vector<Index> ZarrArray::file_position(std::uint64_t number) const {
  std::vector<Index> position(extents.size());
  for (std::size_t axis = extents.size(); axis-- > 0;) {
    const auto files = static_cast<std::uint64_t>(num_files(axis));
    position[axis] = static_cast<Index>(number % files);
    number /= files;
  }
  return position;
}

std::string ZarrArray::file_name(const std::vector<Index>& position) const {
  std::string name = key_prefix;
  for (std::size_t axis = 0; axis < position.size(); ++axis) {
    if (axis > 0) name += separator;
    name += std::to_string(position[axis]);
  }
  return name;
}

ZarrArray ZarrArray::with_separator(char other) const {
  ZarrArray array = *this;
  array.separator = other;
  if (!key_prefix.empty()) array.key_prefix.back() = other;
  return array;
}

std::uint64_t ZarrArray::chunk_samples() const { return product_of(chunk); }

Json zarr_array_json(const ZarrArray& array) { return array.version == 2 ? zarr_v2_json(array) : zarr_v3_json(array); }

Json read_json(const InputFolder& folder, const std::string& name) {
  const auto file = folder.find_file(name);
  if (!file) return {};
  constexpr std::uint64_t kLargestFile = std::uint64_t{16} << 20;
  if (file->size_bytes() > kLargestFile) {
    fail(file->path(), "has {} bytes, more than the {} that convoy reads of JSON", file->size_bytes(), kLargestFile);
  }
  std::string text(file->size_bytes(), '\0');
  file->read(0, reinterpret_cast<std::byte*>(text.data()), text.size());
  std::optional<Json> json = parse_json(text);
  if (!json || !json->is_object()) {
    fail(file->path(), "is no JSON object, or nests deeper than {} levels", kDeepestJson);
  }
  return *std::move(json);
}

std::optional<ZarrArray> read_zarr_array(const InputFolder& folder) {
  const Json v3 = read_json(folder, "zarr.json");
  if (!v3.is_null()) {
    require_no_extensions(folder.path(), v3);
    if (member(v3, "node_type") != "array") return std::nullopt;
    return zarr_array_from_v3(folder.path(), v3);
  }
  const Json v2 = read_json(folder, ".zarray");
  if (v2.is_null()) return std::nullopt;
  return zarr_array_from_v2(folder.path(), v2);
}

}  // namespace convoy::io
