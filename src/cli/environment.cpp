#include "cli/environment.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "cli/command_line.hpp"

namespace convoy::cli {

std::vector<std::string> environment_warnings() {
  std::vector<std::string> warnings;
  constexpr Index kMostThreads = 1024;
  const char* threads = std::getenv("CONVOY_THREADS");
  if (threads != nullptr && *threads != '\0' && !whole_number(1, kMostThreads)(threads).empty()) {
    warnings.push_back(
        fmt::format("CONVOY_THREADS is '{}', which is not a whole number from 1 to {}", threads, kMostThreads));
  }
  return warnings;
}

}  // namespace convoy::cli
