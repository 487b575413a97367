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
  /// Takes disk space for a file of so many bytes. Throws Error(io) that says how much is missing.
  void reserve(std::uint64_t bytes);
  /// Writes at a position; several threads may. Not to be mixed with write().
  void write_at(std::uint64_t offset, const std::byte* bytes, std::uint64_t count);
  /// Reads what was written at a position.
  void read_at(std::uint64_t offset, std::byte* bytes, std::uint64_t count) const;
  void commit();

 private:
  std::string path_;
  std::string target_path_;
  std::string temporary_path_;
  std::FILE* stream_ = nullptr;
};

}  // namespace convoy::io
