// A folder that is held open. All that is done in it goes through its handle, wherever its name leads meanwhile, and
// follows no link: a link that someone planted under one of our names is refused, and what it points to is not touched.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/file.hpp"

namespace convoy::io {

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
  const File& handle() const { return handle_; }
  FileIdentity identity() const { return handle_.status().identity; }

  /// What lies under a name: of a link, the link itself. Nothing if there is no such entry.
  std::optional<FileStatus> status(const std::string& name) const;
  /// Whether the file or folder of that identity still lies under the name.
  bool holds(const std::string& name, const FileIdentity& identity) const;
  std::vector<std::string> names() const;
  /// The longest name that an entry may have, in bytes.
  std::size_t max_name_bytes() const { return handle_.max_name_bytes(); }

  /// A regular file to read; an empty one if there is none.
  File open_to_read(const std::string& name) const;
  /// Makes a file, to read and write. An empty one if there is an entry of that name.
  File make_file(const std::string& name) const;
  /// Opens a file that an earlier run of convoy left, to read and write, or makes it. It must be a regular file of this
  /// user with one name only: what else lies there is refused, and stays as it is.
  File open_own_file(const std::string& name) const;

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
  /// Returns errno, 0 for success.
  int rename(const std::string& name, const std::string& new_name) const;
  /// Gives two folders each other's name. Returns errno, 0 for success.
  int exchange(const std::string& one, const std::string& other) const;
  /// Brings the folder's list of entries to the disk, not what is in them.
  void sync() const;

 private:
  Folder(std::string path, File handle) : path_(std::move(path)), handle_(std::move(handle)) {}
  std::optional<Folder> find_folder(const std::string& name) const;
  std::uint64_t owner_of_new_files() const;
  void require_own(const std::string& name, const FileStatus& status) const;

  std::string path_;
  File handle_;
};

}  // namespace convoy::io
