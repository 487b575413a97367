#include "cli/image_list.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <sstream>

#include "base/path_text.hpp"

namespace convoy::cli {

std::vector<std::string> names_of(const std::string& list) {
  std::error_code ignored;
  if (list.find(',') == std::string::npos || std::filesystem::exists(path_from(list), ignored)) return {list};
  std::vector<std::string> names;
  std::istringstream text(list);
  for (std::string name; std::getline(text, name, ',');) names.push_back(name);
  return names;
}

ImageList joined(const char* option, const std::vector<Image>& images, const std::vector<std::string>& names) {
  ImageList list;
  list.element = images.front().element;
  list.shape = images.front().shape;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const Image& image = images[i];
    if (image.shape != list.shape || image.element != list.element) {
      throw CLI::ValidationError(
          option, fmt::format("{} has {} zyx of {}, but {} has {} zyx of {}: several must be of one shape and element",
                              names[i], to_text(image.shape), name(image.element), names[0], to_text(list.shape),
                              name(list.element)));
    }
    list.bytes.insert(list.bytes.end(), image.bytes.begin(), image.bytes.end());
    ++list.count;
  }
  return list;
}

}  // namespace convoy::cli
