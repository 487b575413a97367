// What the JSON files of a Zarr store say about an array (Zarr version 2 and 3) and about its axes (OME-NGFF).
// Sources: https://zarr-specs.readthedocs.io (v2, v3), https://ngff.openmicroscopy.org (0.4, 0.5).
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "convoy/io.hpp"
#include "io/axes.hpp"
#include "io/sample.hpp"
#include "io/zarr_codec.hpp"

namespace convoy::io {

struct ZarrArray {
  std::string folder;
  std::vector<Index> extents;
  std::vector<Index> chunk;  ///< of as many axes
  Sample sample = Sample::f32;
  bool big_endian = false;
  bool fortran_order = false;  ///< within a chunk the first axis is contiguous, not the last
  Compressor compressor = Compressor::none;
  double fill_value = 0;
  std::string key_prefix;  ///< of a chunk's name: "" or "c/"
  char separator = '.';    ///< between the numbers of a chunk

  std::string chunk_path(const std::vector<Index>& position) const;
  /// Name of a chunk's file inside the array's folder.
  std::string file_name(const std::vector<Index>& position) const;
  std::uint64_t chunk_samples() const;
  std::uint64_t chunk_bytes() const { return saturating_product(chunk_samples(), size_of(sample)); }  ///< decoded
};

/// An array and what its group says about it.
struct ZarrImage {
  ZarrArray array;
  std::vector<FileAxis> axes;
  std::optional<VoxelSize> voxel_size = {};
};

/// Reads an array, or the first array of an OME-NGFF group. Throws Error(io), naming the file.
ZarrImage read_zarr_metadata(const std::string& path, const std::string& axes);

/// A file of JSON; null if it is not there. Throws Error(io) if it is no JSON, or too large to be read.
nlohmann::json read_json(const std::string& path);

/// The array of `folder`, if there is one.
std::optional<ZarrArray> read_zarr_array(const std::string& folder);

/// .zarray and .zattrs of what convoy writes: version 2, "/" between numbers, blosc, fill value 0; OME-NGFF 0.4 with
/// one scale, "0".
nlohmann::json zarr_array_json(const ZarrArray& array);
nlohmann::json ngff_json(const std::string& name, const std::vector<FileAxis>& axes,
                         const std::optional<VoxelSize>& voxel_size);

}  // namespace convoy::io
