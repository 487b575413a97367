// A folder to read, opened once and held: whatever becomes of its name, the files in it are the same ones.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "io/folder.hpp"
#include "io/input_file.hpp"

namespace convoy::io {

class InputFolder {
 public:
  /// Throws Error(io) for a missing folder, or what is none.
  explicit InputFolder(const std::string& path);
  /// An entry of a folder of convoy's own, which is no link.
  InputFolder(const Folder& folder, const std::string& name);

  const std::string& path() const { return path_; }
  std::string path_of(const std::string& name) const { return path_ + "/" + name; }
  /// Names lead down from the folder, as in "0/1/2". Null if a part of the name does not exist. Throws Error(io),
  /// naming the file, for everything else: no permission, a link that leads nowhere, no regular file ...
  std::unique_ptr<InputFile> find_file(const std::string& name) const;
  std::unique_ptr<InputFolder> find_folder(const std::string& name) const;
  /// Whether `wanted` is true for the name of an entry of the folder `name` ("." for this one), those of "." and ".."
  /// left out; false if there is no such folder. Throws Error(io) if it cannot be listed.
  bool has_entry(const std::string& name, const std::function<bool(const std::string& entry)>& wanted) const;
  /// Whether anything was added or removed since this object was made, in the folder that lacks a part of `name`.
  bool has_changed_beside(const std::string& name) const;

 private:
  InputFolder(const std::string& path, File folder);
  /// What was opened; empty if a part of the name does not exist.
  File found(const std::string& name, File opened) const;
  void require_absent(const std::string& name) const;

  std::string path_;
  File folder_;
  FileTime opened_at_;
};

}  // namespace convoy::io
