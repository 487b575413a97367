// A file that appears whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

namespace convoy::io {

/// Writes under a temporary name in the target's folder; commit() gives it its name.
class OutputFile {
 public:
  /// What happens to the temporary file without commit.
  enum class Unfinished {
    removed,
    kept  ///< under a name that follows from the target's; a file of that name is continued, not emptied
  };

  /// Throws Error(io) when the folder is missing or closed to us, or when the target is no regular file or read-only.
  explicit OutputFile(const std::string& path, Unfinished unfinished = Unfinished::removed);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  const std::string& path() const { return path_; }
  const std::string& temporary_path() const { return temporary_path_; }
  std::FILE* stream() const { return stream_; }
  std::uint64_t size_bytes() const;
  void write(const void* bytes, std::uint64_t count);
  /// Takes disk space for a file of so many bytes. Throws Error(io) that says how much is missing.
  void reserve(std::uint64_t bytes);
  /// Writes at a position; several threads may. Not to be mixed with write().
  void write_at(std::uint64_t offset, const std::byte* bytes, std::uint64_t count);
  /// Reads what was written at a position.
  void read_at(std::uint64_t offset, std::byte* bytes, std::uint64_t count) const;
  void commit();
  /// Without commit, the temporary file is removed after all.
  void give_up() { unfinished_ = Unfinished::removed; }

 private:
  void open_new(const std::string& folder);
  void open_kept();

  std::string path_;
  Unfinished unfinished_;
  std::string target_path_;
  std::string temporary_path_;
  std::FILE* stream_ = nullptr;
};

/// Where OutputFile keeps what is unfinished, and the journal beside it.
std::string kept_path(const std::string& path);
std::string journal_path(const std::string& path);

}  // namespace convoy::io
