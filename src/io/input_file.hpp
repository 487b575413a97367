// A regular file to read, by position.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/file.hpp"

namespace convoy::io {

class InputFile {
 public:
  /// Throws Error(io) for a missing file, a directory, or one that may not be read.
  explicit InputFile(const std::string& path);
  /// Takes over what is open. Throws Error(io), naming `path`, unless it is a regular file.
  InputFile(const std::string& path, File file);

  const std::string& path() const { return path_; }
  std::uint64_t size_bytes() const { return size_bytes_; }
  /// Fills exactly `count` bytes or throws Error(io).
  void read(std::uint64_t offset, std::byte* bytes, std::uint64_t count) const;

 private:
  std::string path_;
  File file_;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace convoy::io
