// A regular file to read, by position.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace convoy::io {

class InputFile {
 public:
  /// Throws Error(io) for a missing file, a directory, or one that may not be read.
  explicit InputFile(const std::string& path);
  /// Takes over what is open. Throws Error(io), naming `path`, unless it is a regular file.
  InputFile(const std::string& path, int descriptor);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  std::uint64_t size_bytes() const { return size_bytes_; }
  /// Fills exactly `count` bytes or throws Error(io).
  void read(std::uint64_t offset, std::byte* bytes, std::uint64_t count) const;

 private:
  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_bytes_ = 0;
};

/// To open what may be anything: a FIFO without a writer does not block.
extern const int kReadFlags;

}  // namespace convoy::io
