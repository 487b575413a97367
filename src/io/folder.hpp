// A folder that is held open. All that is done in it goes through its handle, wherever its name leads meanwhile, and
// follows no link: a link that someone planted under one of our names is refused, and what it points to is not touched.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <vector>

#include "base/handle.hpp"

namespace convoy::io {

/// Which file or folder something is, whatever its name: no two that exist at one time have the same.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

FileIdentity identity_of(const struct stat& status);

/// The folder in which a path's last name lies, "." where the path says none.
std::string folder_of(const std::string& path);

/// Names are those of direct entries ("0"), except where `path` is said: "0/c/1" leads through sub-folders. All throw
/// Error(io), naming the entry, for what they do not return.
class Folder {
 public:
  enum class Missing { refused, made };

  /// Opens the folder at `path`; links on the way are followed, for this is a name that the user gave.
  explicit Folder(const std::string& path);

  const std::string& path() const { return path_; }
  /// For messages: where an entry lay when the folder was opened.
  std::string path_of(const std::string& name) const;
  int descriptor() const { return handle_.descriptor(); }
  FileIdentity identity() const;

  /// What lies under a name: of a link, the link itself. Nothing if there is no such entry.
  std::optional<struct stat> status(const std::string& name) const;
  /// Whether the file or folder of that identity still lies under the name.
  bool holds(const std::string& name, const FileIdentity& identity) const;
  std::vector<std::string> names() const;
  /// The longest name that an entry may have, in bytes.
  std::size_t max_name_bytes() const;

  /// A regular file to read; an empty handle if there is none.
  Handle open_to_read(const std::string& name) const;
  /// Makes a file, to read and write. An empty handle if there is an entry of that name.
  Handle make_file(const std::string& name) const;
  /// Opens a file that an earlier run of convoy left, to read and write, or makes it. It must be a regular file of this
  /// user with one name only: what else lies there is refused, and stays as it is.
  Handle open_own_file(const std::string& name) const;

  /// A sub-folder, and those above it on the path.
  Folder subfolder(const std::string& path, Missing missing = Missing::refused) const;
  /// Makes a sub-folder. Nothing if there is an entry of that name.
  std::optional<Folder> make_folder(const std::string& name) const;
  /// Opens a sub-folder that an earlier run of convoy left, or makes it. It must be a folder of this user.
  Folder open_own_folder(const std::string& name) const;

  /// Removes an entry, and of a folder all that is in it. No error if there is none.
  void remove(const std::string& name) const;
  /// Removes all entries.
  void empty() const;
  /// `flags` as of renameat2. Returns errno, 0 for success.
  int rename(const std::string& name, const Folder& to, const std::string& new_name, unsigned flags = 0) const;
  /// Brings the folder's list of entries to the disk, not what is in them.
  void sync() const;

 private:
  Folder(std::string path, Handle handle) : path_(std::move(path)), handle_(std::move(handle)) {}
  std::optional<Folder> find_folder(const std::string& name) const;
  uid_t owner_of_new_files() const;
  void require_own(const std::string& name, const struct stat& status) const;

  std::string path_;
  Handle handle_;
};

/// fstat, which cannot fail for what is open.
struct stat status_of(int descriptor);

}  // namespace convoy::io
