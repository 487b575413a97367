// Files and folders of every system, by handles that are opened once and held: by calls of POSIX (file_posix.cpp) or of
// Windows (file_windows.cpp). Nothing here throws. What fails leaves the reason in errno, on Windows too.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/private_export.hpp"

namespace convoy::inline v0 {

enum class FileKind { file, folder, link, pipe, socket, device };

/// Which file or folder something is, whatever its name: no two that exist at one time have the same.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t number = 0;
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

/// Since the beginning of 1970, UTC.
struct FileTime {
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;
  friend auto operator<=>(const FileTime&, const FileTime&) = default;
};

struct FileStatus {
  FileKind kind = FileKind::device;
  FileIdentity identity;
  std::uint64_t size_bytes = 0;
  std::uint64_t allocated_bytes = 0;  ///< on the disk
  std::uint64_t num_names = 0;        ///< hard links
  std::uint64_t owner = 0;            ///< a user's number; on Windows a checksum of the user's identifier
  FileTime modified;                  ///< the contents
  FileTime changed;                   ///< or what the file system keeps of the file; no program can set this time
  bool closed_to_others = false;      ///< no right at all for other users
  bool writable_by_all = false;
  bool deletable_by_owners = false;  ///< of entries of a folder: only by their owners (the sticky bit)
};

/// As FileStatus::owner.
CONVOY_PRIVATE std::uint64_t user_of_process();
CONVOY_PRIVATE std::uint64_t number_of_process();
CONVOY_PRIVATE FileTime time_now();
/// The most that a file of this process may have (`ulimit -f`); the largest number without such a limit.
CONVOY_PRIVATE std::uint64_t max_file_bytes();

/// What other users may do with what is made, less what the process' umask takes away. Windows inherits the folder's.
enum class Permissions { read_and_write, read, none };

enum class Links { followed, refused };

class CONVOY_PRIVATE File {
 public:
  File() = default;
  ~File() { close(); }
  File(File&& other) noexcept { swap(other); }
  File& operator=(File&& other) noexcept {
    swap(other);
    return *this;
  }
  explicit operator bool() const;
  /// The error as errno has it; 0 if there is none. Some file systems report a full disk only here.
  int close();

  // ---- Of a folder. Names are UTF-8; a path of several names, "0/c/1", is separated by slashes.

  /// Names are looked for in the current folder of the process and may be absolute.
  static const File& working_folder();
  /// What may be anything: a pipe without a writer does not block.
  File open_to_read(const std::string& path, Links links) const;
  /// To read and write; links are refused.
  File open_to_change(const std::string& name) const;
  /// A new file, to read and write. EEXIST if there is an entry of that name, a link too.
  File make_file(const std::string& name, Permissions others) const;
  /// A folder whose list is closed to us can be used, except for list().
  File open_folder(const std::string& path, Links links) const;
  bool make_folder(const std::string& name, Permissions others) const;
  /// Of an entry; with Links::refused, of a link itself. Nothing, and the reason in errno, if there is none.
  std::optional<FileStatus> status_of(const std::string& path, Links links) const;
  std::optional<std::string> link_target(const std::string& name) const;
  /// A file, a link or an empty folder.
  bool remove(const std::string& name, FileKind kind) const;
  /// Replaces a file, or an empty folder by a folder.
  bool rename(const std::string& name, const std::string& new_name) const;
  /// Gives two folders each other's name, in one step where the system can (on Windows in three).
  bool exchange(const std::string& one, const std::string& other) const;
  /// A second name for a file.
  bool link(const std::string& name, const std::string& new_name) const;
  bool may_change(const std::string& name) const;
  bool may_add_entries() const;
  /// Calls visit with each entry's name, those of "." and ".." left out, until it returns false. False if the folder
  /// cannot be listed; one that was deleted has no entries.
  bool list(const std::function<bool(const std::string& name)>& visit) const;
  /// The longest name that an entry may have, in bytes.
  std::size_t max_name_bytes() const;
  /// Brings the list of entries to the disk, not what is in them; true where the file system cannot.
  bool sync_entries() const;

  // ---- Of any.

  FileStatus status() const;
  /// Where it lies now; empty where the system does not say.
  std::string current_path() const;
  /// Takes the only lock; it ends with the handle. EWOULDBLOCK if another handle has it.
  bool lock() const;

  // ---- Of a file. Several threads may read and write by position.

  /// The number of bytes, below `count` at the end of the file only; -1 if it failed.
  std::int64_t read_at(std::uint64_t offset, void* bytes, std::uint64_t count) const;
  /// Whether all was written.
  bool write_at(std::uint64_t offset, const void* bytes, std::uint64_t count) const;
  bool truncate(std::uint64_t size_bytes) const;
  /// Takes disk space for the first bytes; a shorter file becomes as long. EOPNOTSUPP where the file system cannot.
  bool reserve(std::uint64_t size_bytes) const;
  /// Disk space that is free to this user; the largest number where the file system does not say.
  std::uint64_t free_bytes() const;
  /// The first bytes as memory, to read and write, until unmap(); nullptr if it failed. The disk space must be
  /// reserved.
  void* map(std::uint64_t size_bytes) const;
  static void unmap(void* bytes, std::uint64_t count);
  /// Takes mapped bytes out of this process' memory, not out of the file; they come back as they are used.
  static void release(void* bytes, std::uint64_t count);
  /// Brings all that was written to the disk, with the errors that some network file systems report only when a file
  /// is closed; true where the file system cannot.
  bool sync() const;

 private:
#if defined(_WIN32)
  explicit File(void* handle) : handle_(handle) {}
  void swap(File& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(folder_lock_, other.folder_lock_);
  }
  void* handle_ = nullptr;
  mutable void* folder_lock_ = nullptr;
#else
  explicit File(int descriptor) : descriptor_(descriptor) {}
  void swap(File& other) noexcept { std::swap(descriptor_, other.descriptor_); }
  int descriptor_ = -1;
#endif
};

}  // namespace convoy::inline v0
