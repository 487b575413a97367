#include "convoy/path.hpp"

#include <fmt/format.h>

#include "convoy/error.hpp"

namespace convoy::inline v0 {

const char* name(Path path) {
  switch (path) {
    case Path::native:
      return "native";
    case Path::fused:
      return "fused";
    case Path::staged:
      return "staged";
    case Path::direct:
      return "direct";
    case Path::separable:
      return "separable";
  }
  return "unknown";
}

std::optional<Path> path_from_text(const std::string& text) {
  if (text == "auto") return {};
  for (const Path path : {Path::native, Path::fused, Path::staged}) {
    if (text == name(path)) return path;
  }
  throw Error(Errc::invalid_argument, fmt::format("'{}' is none of auto, native, fused and staged", text));
}

}  // namespace convoy::inline v0
