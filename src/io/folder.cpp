#include "io/folder.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/path_text.hpp"
#include "io/io_error.hpp"

namespace convoy::io {
namespace {

constexpr int kMaxDepth = 64;

const char* name_of(FileKind kind) {
  switch (kind) {
    case FileKind::file:
      return "file";
    case FileKind::folder:
      return "folder";
    case FileKind::link:
      return "symbolic link";
    case FileKind::pipe:
      return "pipe";
    case FileKind::socket:
      return "socket";
    case FileKind::device:
      return "device";
  }
  return "entry";
}

[[noreturn]] void refuse(const std::string& path, const FileStatus& status, const char* wanted) {
  fail(path, "is a {} where a {} of convoy belongs; convoy neither follows nor replaces it: remove it",
       name_of(status.kind), wanted);
}

void remove_at(const Folder& folder, const std::string& name, int depth) {
  const auto status = folder.status(name);
  if (!status) return;
  if (status->kind == FileKind::folder) {
    if (depth == kMaxDepth) fail(folder.path_of(name), "is not removed: it lies too deep in other folders");
    const Folder inner = folder.subfolder(name);
    for (const std::string& entry : inner.names()) remove_at(inner, entry, depth + 1);
  }
  if (folder.handle().remove(name, status->kind) || errno == ENOENT) return;
  fail(folder.path_of(name), "cannot be removed: {}", std::strerror(errno));
}

}  // namespace

std::string folder_of(const std::string& path) {
  const std::filesystem::path folder = path_from(path).parent_path();
  return folder.empty() ? "." : text_from(folder);
}

Folder::Folder(const std::string& path) : path_(path) {
  handle_ = File::working_folder().open_folder(path, Links::followed);
  if (handle_) return;
  if (errno == ENOENT) throw Error(Errc::io, fmt::format("there is no folder '{}'", path));
  if (errno == ENOTDIR) throw Error(Errc::io, fmt::format("'{}' is no folder", path));
  throw Error(Errc::io, fmt::format("the folder '{}' cannot be opened: {}", path, std::strerror(errno)));
}

std::string Folder::path_of(const std::string& name) const {
  if (path_ == ".") return name;
  return path_.ends_with('/') ? path_ + name : path_ + "/" + name;
}

std::optional<FileStatus> Folder::status(const std::string& name) const {
  if (auto status = handle_.status_of(name, Links::refused)) return status;
  if (errno == ENOENT) return std::nullopt;
  fail(path_of(name), "cannot be looked at: {}", std::strerror(errno));
}

bool Folder::holds(const std::string& name, const FileIdentity& identity) const {
  const auto found = status(name);
  return found && found->identity == identity;
}

std::vector<std::string> Folder::names() const {
  std::vector<std::string> names;
  const auto visit = [&](const std::string& name) {
    names.push_back(name);
    return true;
  };
  if (!handle_.list(visit)) fail(path_, "its entries cannot be listed: {}", std::strerror(errno));
  return names;
}

File Folder::open_to_read(const std::string& name) const {
  File file = handle_.open_to_read(name, Links::refused);
  if (!file && errno == ENOENT) return {};
  if (!file && errno != ELOOP) fail(path_of(name), "cannot be read: {}", std::strerror(errno));
  if (!file || file.status().kind != FileKind::file) fail(path_of(name), "is not a regular file");
  return file;
}

File Folder::make_file(const std::string& name) const {
  File file = handle_.make_file(name, Permissions::read_and_write);
  if (!file && errno != EEXIST) fail(path_of(name), "cannot be made: {}", std::strerror(errno));
  return file;
}

/// Where the file system gives all files one owner, as shares of Windows machines may, that owner; else this user.
std::uint64_t Folder::owner_of_new_files() const {
  const std::string name = fmt::format(".convoy-owner-{}", number_of_process());
  const File probe = make_file(name);
  if (!probe) return user_of_process();
  const std::uint64_t owner = probe.status().owner;
  handle_.remove(name, FileKind::file);
  return owner;
}

void Folder::require_own(const std::string& name, const FileStatus& status) const {
  if (status.owner != user_of_process() && status.owner != owner_of_new_files()) {
    fail(path_of(name),
         "belongs to another user (number {}), and convoy does not write to it: remove it, or write "
         "elsewhere",
         status.owner);
  }
  if (status.kind == FileKind::file && status.num_names > 1) {
    fail(path_of(name), "is a file of {} names (hard links), and convoy would change it under all of them: remove it",
         status.num_names);
  }
}

File Folder::open_own_file(const std::string& name) const {
  constexpr int kTries = 16;
  for (int i = 0; i < kTries; ++i) {
    if (File made = make_file(name)) return made;
    const auto there = status(name);
    if (there && there->kind != FileKind::file) refuse(path_of(name), *there, "file");
    File file = handle_.open_to_change(name);
    if (!file && (errno == ENOENT || errno == ELOOP)) continue;  // it has just gone, or become a link
    if (!file) fail(path_of(name), "cannot be opened: {}", std::strerror(errno));
    const FileStatus opened = file.status();
    if (opened.kind != FileKind::file) refuse(path_of(name), opened, "file");
    require_own(name, opened);
    return file;
  }
  fail(path_of(name), "is made and removed by another process all the time");
}

std::optional<Folder> Folder::find_folder(const std::string& name) const {
  File found = handle_.open_folder(name, Links::refused);
  if (found) return Folder(path_of(name), std::move(found));
  const int problem = errno;
  if (problem == ENOENT) return std::nullopt;
  const auto there = status(name);
  if (there && there->kind != FileKind::folder) refuse(path_of(name), *there, "folder");
  fail(path_of(name), "the folder cannot be opened: {}", std::strerror(problem));
}

Folder Folder::subfolder(const std::string& path, Missing missing) const {
  const std::size_t slash = path.find('/');
  const std::string name = path.substr(0, slash);
  if (name.empty() || name == "." || name == "..") fail(path_of(path), "is no place below '{}'", path_);
  auto folder = find_folder(name);
  if (!folder && missing == Missing::refused) fail(path_of(name), "there is no such folder");
  if (!folder) {
    folder = make_folder(name);
    if (!folder) folder = find_folder(name);  // another thread has made it
    if (!folder) fail(path_of(name), "there is no such folder: it was removed as soon as it was made");
  }
  return slash == std::string::npos ? std::move(*folder) : folder->subfolder(path.substr(slash + 1), missing);
}

std::optional<Folder> Folder::make_folder(const std::string& name) const {
  if (handle_.make_folder(name, Permissions::read_and_write)) return find_folder(name);
  if (errno == EEXIST) return std::nullopt;
  fail(path_of(name), "the folder cannot be made: {}", std::strerror(errno));
}

Folder Folder::open_own_folder(const std::string& name) const {
  if (auto made = make_folder(name)) return std::move(*made);
  Folder folder = subfolder(name);
  require_own(name, folder.handle().status());
  return folder;
}

void Folder::remove(const std::string& name) const { remove_at(*this, name, 0); }

void Folder::empty() const {
  for (const std::string& name : names()) remove(name);
}

int Folder::rename(const std::string& name, const std::string& new_name) const {
  return handle_.rename(name, new_name) ? 0 : errno;
}

int Folder::exchange(const std::string& one, const std::string& other) const {
  return handle_.exchange(one, other) ? 0 : errno;
}

void Folder::sync() const {
  if (handle_.sync_entries()) return;
  fail(path_, "the folder cannot be brought to the disk: {}", std::strerror(errno));
}

}  // namespace convoy::io
