// Whether a Zarr store is one that convoy wrote and that nothing was added to: only that may be overwritten.
#pragma once

#include <optional>
#include <string>

#include "io/folder.hpp"

namespace convoy::io {

/// Under this name in an image's attributes convoy says that it wrote the store (as OME-NGFF proposes).
inline constexpr const char* kCreatorKey = "_creator";
inline constexpr const char* kCreatorName = "convoy";

/// The folder of the array in a store that convoy writes.
inline constexpr const char* kArrayFolder = "0";

/// Whether it is a Zarr store of any kind.
bool is_zarr_store(const Folder& store);

/// The first thing in the store that convoy did not write, for a message: a path in it, or what its attributes hold or
/// lack. Nothing if all of it is an image of one level by convoy, Zarr version 2 or 3.
std::optional<std::string> foreign_entry(const Folder& store);

/// Deletes the chunks and metadata of such a store; what else is there stays.
void remove_own_entries(const Folder& store);

}  // namespace convoy::io
