// Reading a file that may be anything.
#pragma once

#include <vector>

#include "convoy/error.hpp"
#include "convoy/io.hpp"
#include "target.hpp"

namespace convoy::fuzz {

/// Opens the file and reads its first and last piece, if these are small. Only Error may be thrown.
inline void read_some(const std::string& path, const OpenOptions& options) {
  constexpr Index kMostVoxels = Index{1} << 20;
  try {
    const auto images = open_images(path, options);
    for (std::size_t i = 0; i < images.size() && i < 3; ++i) {
      const ImageFileReader& image = *images[i];
      const Shape shape = image.shape();
      Box box{{0, 0, 0}, image.chunk()};
      for (const bool last : {false, true}) {
        for (int axis = 0; axis < 3; ++axis) {
          if (box.size[axis] < 1 || box.size[axis] > shape[axis]) broken("a chunk lies inside its image");
          if (last) box.begin[axis] = shape[axis] - box.size[axis];
        }
        if (num_voxels(box.size) > kMostVoxels) continue;
        std::vector<std::byte> voxels(static_cast<std::size_t>(num_voxels(box.size)) * size_of(image.element()));
        image.read(box, voxels.data());
      }
    }
  } catch (const Error& thrown) {
    if (std::string(thrown.what()).empty()) broken("an error says something");
  }
}

}  // namespace convoy::fuzz
