// A folder that appears whole or not at all.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "io/output_file.hpp"
#include "io/output_place.hpp"

namespace convoy::io {

/// Filled under a temporary name beside the target; commit() gives it its name. All goes through the folder's handle.
class OutputFolder {
 public:
  /// Throws Error(io) when there is no place for it, when the target is no folder, or is there, not empty, and not to
  /// be overwritten. Overwritten is only a store that convoy wrote and that nothing was added to (io/own_store.hpp).
  OutputFolder(const std::string& path, OutputFile::Unfinished unfinished, bool overwrite);
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  const std::string& path() const { return place_.path(); }
  const Folder& folder() const { return *folder_; }
  /// For messages; what lies there by now may be something else.
  const std::string& temporary_path() const { return folder_->path(); }
  /// Deletes what is in it.
  void empty();
  /// Throws Error(io) if the temporary folder was removed, moved or replaced by another process.
  void require_there() const;
  /// Writes a file, as in "0/.zarray", whole or not at all, and brings it to the disk. Sub-folders are made. Several
  /// threads may, not for one file. What lies under the name is replaced.
  void write_file(const std::string& file, std::span<const std::byte> bytes) const;
  /// The same of bytes that `fill` appends one behind the other.
  using Append = std::function<void(std::span<const std::byte>)>;
  void write_file(const std::string& file, const std::function<void(const Append&)>& fill) const;
  /// The same of text; commit() looks whether it is still there.
  void write_text(const std::string& file, const std::string& text);
  /// Gives the folder its name: its sub-folders are brought to the disk before, its name after, and a store that it
  /// replaces is deleted last. Throws Error(io) if the temporary folder or a text in it is not what was written.
  void commit();
  /// Without commit, the temporary folder is removed after all.
  void give_up() { unfinished_ = OutputFile::Unfinished::removed; }

 private:
  bool is_occupied() const;
  void require_replaceable() const;
  void require_exchange() const;
  void open_new();
  void require_texts() const;
  void replace_store();

  OutputPlace place_;
  OutputFile::Unfinished unfinished_;
  bool overwrite_;
  std::unique_ptr<Folder> folder_;
  FileIdentity identity_;
  std::string temporary_name_;
  std::unique_ptr<TemporaryEntry> entry_;  // null if the folder is kept, or has its name
  std::map<std::string, std::size_t> text_bytes_;
};

/// Throws Error(io), naming the file for `path`, unless the folder has a regular file of that size there; 0 stands for
/// any size but 0.
void require_file(const Folder& folder, const std::string& file, std::uint64_t bytes);

}  // namespace convoy::io
