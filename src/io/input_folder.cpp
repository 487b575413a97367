#include "io/input_folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <tuple>

#include "io/io_error.hpp"

namespace convoy::io {
namespace {

constexpr int kFolderFlags = O_PATH | O_DIRECTORY | O_CLOEXEC;  // enough to look names up, without the right to list

int opened(int folder, const std::string& name, const std::string& path, int flags) {
  const int descriptor = ::openat(folder, name.c_str(), flags);
  if (descriptor >= 0) return descriptor;
  if (errno == ENOENT || errno == ENOTDIR) fail(path, "cannot be read: there is no such folder");
  fail(path, "cannot be read: {}", std::strerror(errno));
}

bool is_later(const std::timespec& time, const std::timespec& than) {
  return std::tie(time.tv_sec, time.tv_nsec) > std::tie(than.tv_sec, than.tv_nsec);
}

std::timespec now() {
  std::timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return time;
}

/// Calls body for "a", "a/b" and "a/b/c" of the name "a/b/c", until it returns false.
void for_each_part(const std::string& name, const std::function<bool(const std::string&)>& body) {
  for (std::size_t end = 0; end != std::string::npos;) {
    end = name.find('/', end + 1);
    if (!body(name.substr(0, end))) return;
  }
}

}  // namespace

InputFolder::InputFolder(const std::string& path) : InputFolder(path, opened(AT_FDCWD, path, path, kFolderFlags)) {}

InputFolder::InputFolder(const Folder& folder, const std::string& name)
    : InputFolder(folder.path_of(name),
                  opened(folder.descriptor(), name, folder.path_of(name), kFolderFlags | O_NOFOLLOW)) {}

InputFolder::InputFolder(const std::string& path, int descriptor) : path_(path), descriptor_(descriptor) {
  opened_at_ = now();
}

InputFolder::~InputFolder() { ::close(descriptor_); }

/// What is missing because a link leads nowhere is not missing.
void InputFolder::require_absent(const std::string& name) const {
  for_each_part(name, [&](const std::string& part) {
    struct stat status {};
    if (::fstatat(descriptor_, part.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return false;
      fail(path_of(name), "cannot be read: '{}': {}", path_of(part), std::strerror(errno));
    }
    if (S_ISLNK(status.st_mode) && ::fstatat(descriptor_, part.c_str(), &status, 0) != 0) {
      const char* problem = errno == ENOENT ? "is a link that leads nowhere" : std::strerror(errno);
      fail(path_of(name), "cannot be read: '{}' {}", path_of(part), problem);
    }
    return true;
  });
}

int InputFolder::open_at(const std::string& name, int flags) const {
  const int descriptor = ::openat(descriptor_, name.c_str(), flags);
  if (descriptor >= 0) return descriptor;
  if (errno != ENOENT) fail(path_of(name), "cannot be read: {}", std::strerror(errno));
  require_absent(name);
  return -1;
}

std::unique_ptr<InputFile> InputFolder::find_file(const std::string& name) const {
  const int descriptor = open_at(name, kReadFlags);
  return descriptor < 0 ? nullptr : std::make_unique<InputFile>(path_of(name), descriptor);
}

std::unique_ptr<InputFolder> InputFolder::find_folder(const std::string& name) const {
  const int descriptor = open_at(name, kFolderFlags);
  if (descriptor < 0) return nullptr;
  return std::unique_ptr<InputFolder>(new InputFolder(path_of(name), descriptor));
}

bool InputFolder::has_entry(const std::string& name, const std::function<bool(const std::string&)>& wanted) const {
  const int descriptor = open_at(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(descriptor), ::closedir);
  if (!listing) {
    ::close(descriptor);
    fail(path_of(name), "cannot be listed: {}", std::strerror(errno));
  }
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(listing.get());
    if (entry == nullptr && errno != 0) fail(path_of(name), "cannot be listed: {}", std::strerror(errno));
    if (entry == nullptr) return false;
    const std::string found = entry->d_name;
    if (found != "." && found != ".." && wanted(found)) return true;
  }
}

bool InputFolder::has_changed_beside(const std::string& name) const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) fail(path_, "cannot be read: {}", std::strerror(errno));
  for_each_part(name, [&](const std::string& part) {
    struct stat deeper {};
    if (::fstatat(descriptor_, part.c_str(), &deeper, 0) != 0) return false;
    status = deeper;
    return true;
  });
  const bool by_another_clock = is_later(status.st_mtim, now());  // as a file server may have
  return status.st_nlink == 0 || (!by_another_clock && is_later(status.st_mtim, opened_at_));
}

}  // namespace convoy::io
