// Parts of Zarr metadata that versions 2 and 3 have in common.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "io/io_error.hpp"
#include "io/zarr_array.hpp"

namespace convoy::io {

/// A member of an object, or null.
const nlohmann::json& member(const nlohmann::json& object, const char* name);

/// For messages: in full, or the beginning of what is long.
std::string text_of(const nlohmann::json& json);

/// Extents above 0 of 1 to 16 axes. Throws Error(io) that calls them `what`.
std::vector<Index> extents_from(const std::string& folder, const nlohmann::json& json, const char* what);

/// A number that the sample can have. Throws Error(io) for what is none.
double fill_value_from(const ZarrArray& array, const nlohmann::json& json);
/// The fill value 0 of such voxels.
nlohmann::json zero_json(Sample sample);

/// Throws Error(io) for codecs that convoy does not have.
ByteCodec byte_codec_named(const std::string& folder, const std::string& name);

/// Throws Error(io) for sizes that no array has, before memory is taken for them.
void require_plausible(const ZarrArray& array);

}  // namespace convoy::io
