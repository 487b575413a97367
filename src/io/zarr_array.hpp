// What the JSON files of a Zarr store say about an array (Zarr version 2 and 3) and about its axes (OME-NGFF).
// Sources: https://zarr-specs.readthedocs.io (v2, v3), https://ngff.openmicroscopy.org (0.4, 0.5).
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "convoy/io.hpp"
#include "io/axes.hpp"
#include "io/input_folder.hpp"
#include "io/sample.hpp"
#include "io/zarr_codec.hpp"

namespace convoy::io {

/// Files that hold several chunks each ("sharding_indexed").
struct ZarrShards {
  std::vector<Index> shape;   ///< of a file, a multiple of the chunk's on every axis
  std::vector<int> order;     ///< axes of the array in which the index counts chunks, slowest first
  bool index_first = false;   ///< the index lies before the chunks, not behind them
  bool big_endian = false;    ///< of the index
  bool has_checksum = false;  ///< a CRC-32C follows the index
  std::uint64_t num_chunks(const std::vector<Index>& chunk) const;
  std::uint64_t index_bytes(const std::vector<Index>& chunk) const;
};

struct ZarrArray {
  std::string folder;  ///< for messages
  int version = 2;     ///< of Zarr
  std::vector<Index> extents;
  std::vector<Index> chunk;  ///< of as many axes: what is decoded at once
  Sample sample = Sample::f32;
  bool big_endian = false;
  std::vector<int> order;         ///< axes in which samples lie within a chunk, slowest first
  std::vector<ByteCodec> codecs;  ///< of a chunk, in the order of encoding
  std::optional<ZarrShards> shards = {};
  double fill_value = 0;
  std::string key_prefix;  ///< of a file's name: "" or "c" and the separator
  char separator = '.';    ///< between the numbers of a file's name
  std::vector<std::string> dimension_names = {};

  /// What a file holds: a shard or a chunk.
  const std::vector<Index>& file_shape() const { return shards ? shards->shape : chunk; }
  /// Number of files along an axis, and of all.
  Index num_files(std::size_t axis) const;
  std::uint64_t num_files() const;
  Index chunks_per_file(std::size_t axis) const { return file_shape()[axis] / chunk[axis]; }
  /// Number of the file that holds the chunk at a position, counted in chunks.
  std::uint64_t file_number(const std::vector<Index>& chunk_position) const;
  /// Number of the chunk within it, in the order of a shard's index.
  std::uint64_t place_in_file(const std::vector<Index>& chunk_position) const;
  /// Position of a file, counted in files.
  std::vector<Index> file_position(std::uint64_t number) const;
  /// Name of a file inside the array's folder.
  std::string file_name(const std::vector<Index>& position) const;
  /// The same with the other separator.
  ZarrArray with_separator(char other) const;
  std::uint64_t chunk_samples() const;
  std::uint64_t chunk_bytes() const { return saturating_product(chunk_samples(), size_of(sample)); }  ///< decoded
};

/// A file of JSON in the folder; null if it is not there. Throws Error(io) if it is no JSON object, or too large to be
/// read.
nlohmann::json read_json(const InputFolder& folder, const std::string& name);

/// The array of `folder`, if there is one: version 3 where both are there.
std::optional<ZarrArray> read_zarr_array(const InputFolder& folder);

/// The array that .zarray (version 2) or zarr.json (version 3) describes; `folder` is for messages. Throws Error(io)
/// for what convoy does not read, and for sizes that no array has.
ZarrArray zarr_array_from_v2(const std::string& folder, const nlohmann::json& json);
ZarrArray zarr_array_from_v3(const std::string& folder, const nlohmann::json& json);

/// Throws Error(io) if the version 3 metadata of a group or array asks for an extension that must be understood.
void require_no_extensions(const std::string& folder, const nlohmann::json& json);

/// .zarray or zarr.json of what convoy writes: "/" between numbers, little-endian, blosc, fill value 0; in version 3
/// the index of a shard lies at its end, with a checksum.
nlohmann::json zarr_array_json(const ZarrArray& array);
/// The same of one version each.
nlohmann::json zarr_v2_json(const ZarrArray& array);
nlohmann::json zarr_v3_json(const ZarrArray& array);

}  // namespace convoy::io
