// Where an output goes: links in its name are resolved once, and its folder is held open from then on.
#pragma once

#include <memory>
#include <string>

#include "io/folder.hpp"
#include "io/temporary_names.hpp"

namespace convoy::io {

class OutputPlace {
 public:
  /// A symbolic link is followed to its end, there or not yet there: what is written is what it points to. Throws
  /// Error(io), naming `path`, when the folder is missing, closed to us or not writable, and for a link that another
  /// user planted in a folder that is open to all (the rule of Linux' fs.protected_symlinks).
  explicit OutputPlace(const std::string& path);

  const std::string& path() const { return path_; }
  const std::shared_ptr<const Folder>& folder() const { return folder_; }
  const std::string& name() const { return name_; }  ///< in the folder

  std::string kept_name() const { return io::kept_name(name_, folder_->max_name_bytes()); }
  std::string journal_name() const { return io::journal_name(name_, folder_->max_name_bytes()); }
  std::string temporary_name(HiddenKind kind) const;
  /// To be called when the output has its name: brings the name to the disk. Throws Error(io) if what lies under the
  /// name is not of that identity, and if the folder was moved while the output was written: it says where the output
  /// now lies.
  void confirm(const FileIdentity& output) const;

 private:
  void require_writable() const;

  std::string path_;
  std::shared_ptr<const Folder> folder_;
  std::string name_;
  std::string absolute_folder_;  // empty if not known
};

/// Where what is unfinished of an output is kept for --resume, and the journal beside it.
std::string kept_path(const std::string& path);
std::string journal_path(const std::string& path);

}  // namespace convoy::io
