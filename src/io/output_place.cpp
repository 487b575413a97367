#include "io/output_place.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/path_text.hpp"
#include "io/io_error.hpp"

namespace convoy::io {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxLinks = 40;  // as the kernel's

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

std::string link_target(const Folder& folder, const std::string& name) {
  if (auto target = folder.handle().link_target(name)) return *std::move(target);
  fail(folder.path_of(name), "the link cannot be read: {}", std::strerror(errno));
}

/// In a folder such as /tmp, links of others may be traps.
bool is_trusted_link(const FileStatus& link, const FileStatus& folder) {
  if (!folder.deletable_by_owners || !folder.writable_by_all) return true;
  return link.owner == user_of_process() || link.owner == folder.owner;
}

}  // namespace

OutputPlace::OutputPlace(const std::string& path) : path_(path) {
  if (path.empty()) throw Error(Errc::io, "the name of the file to write is empty");
  std::string at = without_slashes(path);
  for (int links = 0; links < kMaxLinks; ++links) {
    try {
      name_ = text_from(path_from(at).filename());
      folder_ = std::make_shared<const Folder>(folder_of(at));
      if (name_ == "." || name_ == ".." || name_ == "/") fail(at, "names a folder, and no file in it");
      const auto entry = folder_->status(name_);
      if (!entry || entry->kind != FileKind::link) break;
      if (!is_trusted_link(*entry, folder_->handle().status())) {
        fail(folder_->path_of(name_), "is a link of another user in a folder that is open to all; it is not followed");
      }
      const std::string target = without_slashes(link_target(*folder_, name_));
      at = path_from(target).is_absolute() ? target : folder_of(at) + "/" + target;
    } catch (const Error& error) {
      fail(path, "cannot be written: {}", error.what());
    }
    if (links + 1 == kMaxLinks) fail(path, "cannot be written: it is a link to a link, more than {} times", kMaxLinks);
  }
  require_writable();
  std::error_code unknown;
  absolute_folder_ = text_from(fs::absolute(path_from(folder_->path()), unknown));
}

void OutputPlace::require_writable() const {
  if (folder_->handle().may_add_entries()) return;
  fail(path_, "cannot be written: nothing may be put into its folder '{}': {}", folder_->path(), std::strerror(errno));
}

std::string OutputPlace::temporary_name(HiddenKind kind) const {
  return io::temporary_name(name_, kind, folder_->max_name_bytes());
}

void OutputPlace::confirm(const FileIdentity& output) const {
  if (!folder_->holds(name_, output)) {
    fail(path_, "was replaced by another process as soon as it had its name; write it again");
  }
  try {
    folder_->sync();
  } catch (const Error& error) {
    fail(path_, "is written, but may not survive a power failure: {}", error.what());
  }
  if (absolute_folder_.empty()) return;
  const auto now = File::working_folder().status_of(absolute_folder_, Links::followed);
  if (now && now->identity == folder_->identity()) return;
  fail(path_, "is written, but not there: the folder '{}' was moved meanwhile; it lies in '{}' as '{}'",
       folder_->path(), folder_->handle().current_path(), name_);
}

std::string kept_path(const std::string& path) {
  const OutputPlace place(path);
  return place.folder()->path_of(place.kept_name());
}

std::string journal_path(const std::string& path) {
  const OutputPlace place(path);
  return place.folder()->path_of(place.journal_name());
}

}  // namespace convoy::io
