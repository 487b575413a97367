// The options that say what an image file holds where it does not say so itself.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "convoy/error.hpp"
#include "convoy/io.hpp"

namespace convoy::cli {

struct ImageOptions {
  std::string axes;
  std::optional<Index> series;
  std::optional<VoxelSize> voxel_size;
  std::optional<RawLayout> raw;
  bool allow_missing_chunks = false;

  void add_image_options_to(CLI::App& command);
  OpenOptions open_options() const;
};

/// Calls open(), which opens an image by ImageOptions: its Error(invalid_argument) becomes a usage error of --axes.
template <class Open>
auto open_as_asked(Open open) {
  try {
    return open();
  } catch (const Error& error) {
    if (error.code() != Errc::invalid_argument) throw;
    throw CLI::ValidationError("--axes", error.what());
  }
}

}  // namespace convoy::cli
