// What OME-NGFF says about an image (versions up to 0.5). Source: https://ngff.openmicroscopy.org
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "io/zarr_array.hpp"

namespace convoy::io {

/// An array, the folder it lies in, and what its group says about it.
struct ZarrImage {
  ZarrArray array;
  std::shared_ptr<const InputFolder> folder;
  std::vector<FileAxis> axes;
  ImageMetadata metadata;  ///< extents and number of axes are left to the caller
};

/// Reads an array, or the first array of an OME-NGFF group. Throws Error(io), naming the file.
ZarrImage read_zarr_metadata(const std::string& path, const std::string& axes);

/// Attributes of an image that convoy writes, of one level, "0": of version 0.4 those of its group, of 0.5 what they
/// hold under "ome".
nlohmann::json ngff_json(OmeZarr version, const std::string& name, const std::vector<FileAxis>& axes, Element element,
                         const ImageMetadata& metadata);

}  // namespace convoy::io
