#include "io/temporary_names.hpp"

#include <filesystem>

#include "convoy/io.hpp"

namespace convoy::io {

void TemporaryNames::add(const std::string& path) {
  const std::lock_guard lock(mutex_);
  paths_.insert(path);
}

void TemporaryNames::remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  paths_.erase(path);
}

void TemporaryNames::abandon() {
  mutex_.lock();
  std::error_code ignored;
  for (const std::string& path : paths_) std::filesystem::remove_all(path, ignored);
}

/// Never destroyed: outputs may still be open when the program ends.
TemporaryNames& temporary_names() {
  static auto* const names = new TemporaryNames;
  return *names;
}

}  // namespace convoy::io

namespace convoy {

void abandon_outputs() { io::temporary_names().abandon(); }

}  // namespace convoy
