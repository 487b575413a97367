// Names of what is unfinished beside an output, and the list of all that lies under such a name now.
//
// In the folder of an output NAME there may be (U is unique to a run):
//   .NAME.convoy-part      the file or folder that --resume continues
//   .NAME.convoy-journal   which of its boxes are written
//   .NAME.convoy-U.part    the file of a run without --resume; the run holds a lock on it (flock) while it lives
//   .NAME.convoy-U.folder  the same of a folder
// Of a long NAME the hidden names have its beginning, "~" and a checksum of all of it.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "io/folder.hpp"

namespace convoy::io {

enum class HiddenKind { kept, journal, temporary_file, temporary_folder };

/// What a hidden name says. Of a long output name `output` is the shortened one.
struct HiddenName {
  std::string output;
  HiddenKind kind = HiddenKind::kept;
};

/// `max_bytes` is Folder::max_name_bytes() of the output's folder.
std::string kept_name(const std::string& output, std::size_t max_bytes);
std::string journal_name(const std::string& output, std::size_t max_bytes);
/// Another one at every call.
std::string temporary_name(const std::string& output, HiddenKind kind, std::size_t max_bytes);
/// NAME as it stands in hidden names.
std::string name_in_hidden(const std::string& output, std::size_t max_bytes);
/// Nothing for a name that is none of those above.
std::optional<HiddenName> parse_hidden_name(const std::string& name);

/// A file or folder under a temporary name, in the list of them from construction to destruction.
class TemporaryEntry {
 public:
  /// `identity` is what was made under the name.
  TemporaryEntry(std::shared_ptr<const Folder> folder, std::string name, const FileIdentity& identity);
  ~TemporaryEntry();
  TemporaryEntry(const TemporaryEntry&) = delete;
  TemporaryEntry& operator=(const TemporaryEntry&) = delete;

  const Folder& folder() const { return *folder_; }
  const std::string& name() const { return name_; }
  bool is_there() const { return folder_->holds(name_, identity_); }
  /// Deletes it if it is still there under its name. Never throws: what cannot be deleted stays.
  void remove() const noexcept;

 private:
  std::shared_ptr<const Folder> folder_;
  std::string name_;
  FileIdentity identity_;
};

class TemporaryNames {
 public:
  void add(const TemporaryEntry* entry);
  void remove(const TemporaryEntry* entry);
  /// While the lock is held, nothing is abandoned: for giving a file its name.
  std::unique_lock<std::recursive_mutex> hold() { return std::unique_lock(mutex_); }
  /// Deletes all, and never lets go of the lock.
  void abandon();

 private:
  std::recursive_mutex mutex_;  // a file is taken from the list while it is given its name
  std::list<const TemporaryEntry*> entries_;
};

TemporaryNames& temporary_names();

}  // namespace convoy::io
