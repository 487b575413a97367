// A file that appears whole or not at all.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "io/output_place.hpp"

namespace convoy::io {

/// Writes under a temporary name in the target's folder; commit() gives it its name.
class OutputFile {
 public:
  /// What happens to the temporary file without commit.
  enum class Unfinished {
    removed,
    kept  ///< under a name that follows from the target's; a file of that name is continued, not emptied
  };

  /// Throws Error(io) when the folder is missing or closed to us, when the target is no regular file or read-only, and
  /// when what lies under the temporary name is not what an earlier run left.
  explicit OutputFile(const std::string& path, Unfinished unfinished = Unfinished::removed);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  const std::string& path() const { return place_.path(); }
  std::uint64_t size_bytes() const;
  /// Writes behind what was written before.
  void write(const void* bytes, std::uint64_t count);
  /// Takes disk space for a file of so many bytes: asks first, so that a disk that is too small is not filled to find
  /// that out. Throws Error(io) that says how much is missing.
  void reserve(std::uint64_t bytes);
  /// Writes at a position; several threads may. Not to be mixed with write().
  void write_at(std::uint64_t offset, const std::byte* bytes, std::uint64_t count);
  /// Reads what was written at a position.
  void read_at(std::uint64_t offset, std::byte* bytes, std::uint64_t count) const;
  /// Throws Error(io) if the temporary file was removed or replaced by another process.
  void require_there() const;
  /// Brings what is written to the disk.
  void sync();
  /// Gives the file its name: all that is in it is brought to the disk before, its name after. Throws Error(io) if the
  /// temporary file is no longer there or has another size than was written.
  void commit();
  /// Without commit, the temporary file is removed after all.
  void give_up() { unfinished_ = Unfinished::removed; }

 private:
  void require_replaceable() const;
  void open_new();
  void open_kept();
  void require_free(std::uint64_t bytes) const;
  [[noreturn]] void fail_for_space(std::uint64_t bytes, std::uint64_t free_bytes) const;

  OutputPlace place_;
  Unfinished unfinished_;
  File file_;
  std::string temporary_name_;
  std::unique_ptr<TemporaryEntry> entry_;  // null if the file is kept
  std::uint64_t position_ = 0;
  std::atomic<std::uint64_t> end_{0};  // of what was written or reserved
};

/// Takes the lock that says that a temporary file or folder is being written; false if another process has it. Where
/// the file system has no locks, true.
bool lock_temporary(const File& file);

/// Why something could not be written, of errno; names the limit where `ulimit -f` is the reason.
std::string write_problem(int error);

/// Writes all, or throws Error(io) that names `path`.
void write_fully(const File& file, const std::string& path, std::uint64_t offset, const std::byte* bytes,
                 std::uint64_t count);
/// File::sync, or throws Error(io) that names `path`.
void sync_file(const File& file, const std::string& path);

}  // namespace convoy::io
