// Options and arguments that name several image files: kernels, and their weights.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "convoy/image.hpp"

namespace convoy::cli {

/// Names separated by commas; one name where a file has that very name, commas and all.
std::vector<std::string> names_of(const std::string& list);

/// Images of one shape and element, one behind the other.
struct ImageList {
  std::vector<std::byte> bytes;
  Element element = Element::f32;
  Shape shape;
  Index count = 0;

  ImageView view() const { return {bytes.data(), element, shape, count}; }
  ImageView view(Index first, Index number) const { return {view().image(first).data, element, shape, number}; }
};

/// A usage error of `option` that names the file whose shape or element is another than the first one's.
ImageList joined(const char* option, const std::vector<Image>& images, const std::vector<std::string>& names);

}  // namespace convoy::cli
