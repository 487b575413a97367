#include "io/folder.hpp"

#include <dirent.h>
#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "io/io_error.hpp"

namespace convoy::io {
namespace {

constexpr mode_t kFileMode = 0666;  // less what umask takes away
constexpr mode_t kFolderMode = 0777;
/// O_NONBLOCK: a pipe or device that is put there between two looks does not hold us up.
constexpr int kNoLinks = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
constexpr int kFolder = O_DIRECTORY | O_CLOEXEC;
constexpr int kMaxDepth = 64;

const char* kind_of(const struct stat& status) {
  if (S_ISREG(status.st_mode)) return "file";
  if (S_ISDIR(status.st_mode)) return "folder";
  if (S_ISLNK(status.st_mode)) return "symbolic link";
  if (S_ISFIFO(status.st_mode)) return "pipe";
  if (S_ISSOCK(status.st_mode)) return "socket";
  return "device";
}

[[noreturn]] void refuse(const std::string& path, const struct stat& status, const char* wanted) {
  fail(path, "is a {} where a {} of convoy belongs; convoy neither follows nor replaces it: remove it", kind_of(status),
       wanted);
}

/// A folder of mode --x or -wx has no list that we could read, and can be used all the same.
Handle open_folder_at(int parent, const char* name, int flags) {
  Handle handle(::openat(parent, name, O_RDONLY | kFolder | flags));
  if (!handle && errno == EACCES) return Handle(::openat(parent, name, O_PATH | kFolder | flags));
  return handle;
}

void remove_at(const Folder& folder, const std::string& name, int depth) {
  const auto status = folder.status(name);
  if (!status) return;
  const bool is_folder = S_ISDIR(status->st_mode);
  if (is_folder) {
    if (depth == kMaxDepth) fail(folder.path_of(name), "is not removed: it lies too deep in other folders");
    const Folder inner = folder.subfolder(name);
    for (const std::string& entry : inner.names()) remove_at(inner, entry, depth + 1);
  }
  if (::unlinkat(folder.descriptor(), name.c_str(), is_folder ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT) return;
  fail(folder.path_of(name), "cannot be removed: {}", std::strerror(errno));
}

}  // namespace

FileIdentity identity_of(const struct stat& status) { return {status.st_dev, status.st_ino}; }

std::string folder_of(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder.string();
}

struct stat status_of(int descriptor) {
  struct stat status {};
  ::fstat(descriptor, &status);
  return status;
}

Folder::Folder(const std::string& path) : path_(path) {
  handle_ = open_folder_at(AT_FDCWD, path.c_str(), 0);
  if (handle_) return;
  if (errno == ENOENT) throw Error(Errc::io, fmt::format("there is no folder '{}'", path));
  if (errno == ENOTDIR) throw Error(Errc::io, fmt::format("'{}' is no folder", path));
  throw Error(Errc::io, fmt::format("the folder '{}' cannot be opened: {}", path, std::strerror(errno)));
}

std::string Folder::path_of(const std::string& name) const {
  if (path_ == ".") return name;
  return path_.ends_with('/') ? path_ + name : path_ + "/" + name;
}

FileIdentity Folder::identity() const { return identity_of(status_of(descriptor())); }

std::optional<struct stat> Folder::status(const std::string& name) const {
  struct stat status {};
  if (::fstatat(descriptor(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return status;
  if (errno == ENOENT) return std::nullopt;
  fail(path_of(name), "cannot be looked at: {}", std::strerror(errno));
}

bool Folder::holds(const std::string& name, const FileIdentity& identity) const {
  const auto found = status(name);
  return found && identity_of(*found) == identity;
}

std::vector<std::string> Folder::names() const {
  const int own = ::openat(descriptor(), ".", O_RDONLY | kFolder);  // with a position of its own
  const std::unique_ptr<DIR, int (*)(DIR*)> list(own < 0 ? nullptr : ::fdopendir(own), &::closedir);
  if (!list) {
    const int problem = errno;
    if (own >= 0) ::close(own);
    if (problem == ENOENT) return {};  // deleted
    fail(path_, "its entries cannot be listed: {}", std::strerror(problem));
  }
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(list.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
    errno = 0;
  }
  if (errno != 0) fail(path_, "its entries cannot be listed: {}", std::strerror(errno));
  return names;
}

std::size_t Folder::max_name_bytes() const {
  constexpr std::size_t kUsual = 255;
  const long most = ::fpathconf(descriptor(), _PC_NAME_MAX);
  return most > 0 ? static_cast<std::size_t>(most) : kUsual;
}

Handle Folder::open_to_read(const std::string& name) const {
  Handle file(::openat(descriptor(), name.c_str(), O_RDONLY | kNoLinks));
  if (!file && errno == ENOENT) return {};
  if (!file && errno != ELOOP) fail(path_of(name), "cannot be read: {}", std::strerror(errno));
  if (!file || !S_ISREG(status_of(file.descriptor()).st_mode)) fail(path_of(name), "is not a regular file");
  return file;
}

Handle Folder::make_file(const std::string& name) const {
  Handle file(::openat(descriptor(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | kNoLinks, kFileMode));
  if (!file && errno != EEXIST) fail(path_of(name), "cannot be made: {}", std::strerror(errno));
  return file;
}

/// Where the file system gives all files one owner, as shares of Windows machines may, that owner; else this user.
uid_t Folder::owner_of_new_files() const {
  const std::string name = fmt::format(".convoy-owner-{}", ::getpid());
  const Handle probe = make_file(name);
  if (!probe) return ::geteuid();
  const uid_t owner = status_of(probe.descriptor()).st_uid;
  ::unlinkat(descriptor(), name.c_str(), 0);
  return owner;
}

void Folder::require_own(const std::string& name, const struct stat& status) const {
  if (status.st_uid != ::geteuid() && status.st_uid != owner_of_new_files()) {
    fail(path_of(name),
         "belongs to another user (number {}), and convoy does not write to it: remove it, or write "
         "elsewhere",
         status.st_uid);
  }
  if (S_ISREG(status.st_mode) && status.st_nlink > 1) {
    fail(path_of(name), "is a file of {} names (hard links), and convoy would change it under all of them: remove it",
         status.st_nlink);
  }
}

Handle Folder::open_own_file(const std::string& name) const {
  constexpr int kTries = 16;
  for (int i = 0; i < kTries; ++i) {
    if (Handle made = make_file(name)) return made;
    const auto there = status(name);
    if (there && !S_ISREG(there->st_mode)) refuse(path_of(name), *there, "file");
    Handle file(::openat(descriptor(), name.c_str(), O_RDWR | kNoLinks));
    if (!file && (errno == ENOENT || errno == ELOOP)) continue;  // it has just gone, or become a link
    if (!file) fail(path_of(name), "cannot be opened: {}", std::strerror(errno));
    const struct stat opened = status_of(file.descriptor());
    if (!S_ISREG(opened.st_mode)) refuse(path_of(name), opened, "file");
    require_own(name, opened);
    return file;
  }
  fail(path_of(name), "is made and removed by another process all the time");
}

std::optional<Folder> Folder::find_folder(const std::string& name) const {
  Handle found = open_folder_at(descriptor(), name.c_str(), O_NOFOLLOW);
  if (found) return Folder(path_of(name), std::move(found));
  const int problem = errno;
  if (problem == ENOENT) return std::nullopt;
  const auto there = status(name);
  if (there && !S_ISDIR(there->st_mode)) refuse(path_of(name), *there, "folder");
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
  if (::mkdirat(descriptor(), name.c_str(), kFolderMode) == 0) return find_folder(name);
  if (errno == EEXIST) return std::nullopt;
  fail(path_of(name), "the folder cannot be made: {}", std::strerror(errno));
}

Folder Folder::open_own_folder(const std::string& name) const {
  if (auto made = make_folder(name)) return std::move(*made);
  Folder folder = subfolder(name);
  require_own(name, status_of(folder.descriptor()));
  return folder;
}

void Folder::remove(const std::string& name) const { remove_at(*this, name, 0); }

void Folder::empty() const {
  for (const std::string& name : names()) remove(name);
}

int Folder::rename(const std::string& name, const Folder& to, const std::string& new_name, unsigned flags) const {
  const int result = flags == 0 ? ::renameat(descriptor(), name.c_str(), to.descriptor(), new_name.c_str())
                                : ::renameat2(descriptor(), name.c_str(), to.descriptor(), new_name.c_str(), flags);
  return result == 0 ? 0 : errno;
}

/// Where folders cannot be synchronised (some network and user-space file systems), there is nothing to be done.
void Folder::sync() const {
  if (::fsync(descriptor()) == 0 || errno == EINVAL || errno == EBADF || errno == EROFS) return;
  fail(path_, "the folder cannot be brought to the disk: {}", std::strerror(errno));
}

}  // namespace convoy::io
