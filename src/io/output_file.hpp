// A file that appears whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

namespace convoy::io {

/// Writes under a temporary name in the target's folder; commit() gives it its name. Without commit nothing is left.
class OutputFile {
 public:
  /// Throws Error(io) when the folder is missing or closed to us, or when the target is no regular file or read-only.
  explicit OutputFile(const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  const std::string& path() const { return path_; }
  const std::string& temporary_path() const { return temporary_path_; }
  std::FILE* stream() const { return stream_; }
  void write(const void* bytes, std::uint64_t count);
  void commit();

 private:
  std::string path_;
  std::string target_path_;
  std::string temporary_path_;
  std::FILE* stream_ = nullptr;
};

}  // namespace convoy::io
