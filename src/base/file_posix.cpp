#if !defined(_WIN32)
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <memory>

#include "base/file.hpp"

namespace convoy::inline v0 {
namespace {

constexpr std::uint64_t kMostPerCall = 1U << 30;
/// O_NONBLOCK: a pipe or device that is put there between two looks does not hold us up.
constexpr int kAlways = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
constexpr int kFolder = O_DIRECTORY | O_CLOEXEC;

int flags_of(Links links) { return links == Links::refused ? O_NOFOLLOW : 0; }

FileKind kind_of(mode_t mode) {
  if (S_ISREG(mode)) return FileKind::file;
  if (S_ISDIR(mode)) return FileKind::folder;
  if (S_ISLNK(mode)) return FileKind::link;
  if (S_ISFIFO(mode)) return FileKind::pipe;
  return S_ISSOCK(mode) ? FileKind::socket : FileKind::device;
}

FileTime time_of(const timespec& time) { return {time.tv_sec, time.tv_nsec}; }

FileStatus status_from(const struct stat& status) {
  constexpr std::uint64_t kBlockBytes = 512;
  FileStatus result;
  result.kind = kind_of(status.st_mode);
  result.identity = {static_cast<std::uint64_t>(status.st_dev), status.st_ino};
  result.size_bytes = static_cast<std::uint64_t>(status.st_size);
  result.allocated_bytes = static_cast<std::uint64_t>(status.st_blocks) * kBlockBytes;
  result.num_names = status.st_nlink;
  result.owner = status.st_uid;
#if defined(__APPLE__)
  result.modified = time_of(status.st_mtimespec);
  result.changed = time_of(status.st_ctimespec);
#else
  result.modified = time_of(status.st_mtim);
  result.changed = time_of(status.st_ctim);
#endif
  result.closed_to_others = (status.st_mode & (S_IRWXG | S_IRWXO)) == 0;
  result.writable_by_all = (status.st_mode & S_IWOTH) != 0;
  result.deletable_by_owners = (status.st_mode & S_ISVTX) != 0;
  return result;
}

mode_t file_mode(Permissions others) {
  return others == Permissions::none ? 0600 : others == Permissions::read ? 0644 : 0666;
}

mode_t folder_mode(Permissions others) {
  return others == Permissions::none ? 0700 : others == Permissions::read ? 0755 : 0777;
}

}  // namespace

std::uint64_t user_of_process() { return ::geteuid(); }
std::uint64_t number_of_process() { return static_cast<std::uint64_t>(::getpid()); }

std::uint64_t max_file_bytes() {
  rlimit limit{};
  const bool limited = ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  return limited ? limit.rlim_cur : UINT64_MAX;
}

FileTime time_now() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return time_of(time);
}

File::operator bool() const { return descriptor_ >= 0; }

int File::close() {
  const int closed = std::exchange(descriptor_, -1);
  return closed >= 0 && ::close(closed) != 0 ? errno : 0;
}

const File& File::working_folder() {
  static const File folder(AT_FDCWD);  // no descriptor: it is not closed
  return folder;
}

File File::open_to_read(const std::string& path, Links links) const {
  return File(::openat(descriptor_, path.c_str(), O_RDONLY | kAlways | flags_of(links)));
}

File File::open_to_change(const std::string& name) const {
  return File(::openat(descriptor_, name.c_str(), O_RDWR | O_NOFOLLOW | kAlways));
}

File File::make_file(const std::string& name, Permissions others) const {
  return File(::openat(descriptor_, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | kAlways, file_mode(others)));
}

/// A folder of mode --x or -wx has no list that we could read, and can be used all the same.
File File::open_folder(const std::string& path, Links links) const {
  const int flags = kFolder | flags_of(links);
  File folder(::openat(descriptor_, path.c_str(), O_RDONLY | flags));
#if defined(O_PATH)
  if (!folder && errno == EACCES) return File(::openat(descriptor_, path.c_str(), O_PATH | flags));
#endif
  return folder;
}

bool File::make_folder(const std::string& name, Permissions others) const {
  return ::mkdirat(descriptor_, name.c_str(), folder_mode(others)) == 0;
}

std::optional<FileStatus> File::status_of(const std::string& path, Links links) const {
  struct stat status {};
  const int flags = links == Links::refused ? AT_SYMLINK_NOFOLLOW : 0;
  if (::fstatat(descriptor_, path.c_str(), &status, flags) != 0) return std::nullopt;
  return status_from(status);
}

std::optional<std::string> File::link_target(const std::string& name) const {
  char target[PATH_MAX];
  const ssize_t length = ::readlinkat(descriptor_, name.c_str(), target, sizeof target);
  if (length < 0) return std::nullopt;
  return std::string(target, static_cast<std::size_t>(length));
}

bool File::remove(const std::string& name, FileKind kind) const {
  return ::unlinkat(descriptor_, name.c_str(), kind == FileKind::folder ? AT_REMOVEDIR : 0) == 0;
}

bool File::rename(const std::string& name, const std::string& new_name) const {
  return ::renameat(descriptor_, name.c_str(), descriptor_, new_name.c_str()) == 0;
}

bool File::exchange(const std::string& one, const std::string& other) const {
#if defined(__APPLE__)
  return ::renameatx_np(descriptor_, one.c_str(), descriptor_, other.c_str(), RENAME_SWAP) == 0;
#else
  return ::renameat2(descriptor_, one.c_str(), descriptor_, other.c_str(), RENAME_EXCHANGE) == 0;
#endif
}

bool File::link(const std::string& name, const std::string& new_name) const {
  return ::linkat(descriptor_, name.c_str(), descriptor_, new_name.c_str(), 0) == 0;
}

bool File::may_change(const std::string& name) const {
  return ::faccessat(descriptor_, name.c_str(), W_OK, AT_EACCESS) == 0;
}

bool File::may_add_entries() const { return ::faccessat(descriptor_, ".", W_OK | X_OK, AT_EACCESS) == 0; }

bool File::list(const std::function<bool(const std::string&)>& visit) const {
  const int own = ::openat(descriptor_, ".", O_RDONLY | kFolder);  // with a position of its own
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(own < 0 ? nullptr : ::fdopendir(own), &::closedir);
  if (!entries) {
    const int problem = errno;
    if (own >= 0) ::close(own);
    errno = problem;
    return problem == ENOENT;
  }
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(entries.get());
    if (entry == nullptr) return errno == 0;
    const std::string name = entry->d_name;
    if (name != "." && name != ".." && !visit(name)) return true;
  }
}

std::size_t File::max_name_bytes() const {
  constexpr std::size_t kUsual = 255;
  const long most = ::fpathconf(descriptor_, _PC_NAME_MAX);
  return most > 0 ? static_cast<std::size_t>(most) : kUsual;
}

/// Some network and user-space file systems cannot, and what was opened by O_PATH is no descriptor to synchronise.
bool File::sync_entries() const {
  return ::fsync(descriptor_) == 0 || errno == EINVAL || errno == EBADF || errno == EROFS;
}

/// fstat cannot fail for what is open.
FileStatus File::status() const {
  struct stat status {};
  ::fstat(descriptor_, &status);
  return status_from(status);
}

std::string File::current_path() const {
#if defined(__APPLE__)
  char path[PATH_MAX];
  return ::fcntl(descriptor_, F_GETPATH, path) == 0 ? path : "";
#else
  std::error_code unknown;
  return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(descriptor_), unknown).string();
#endif
}

bool File::lock() const { return ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0; }

std::int64_t File::read_at(std::uint64_t offset, void* bytes, std::uint64_t count) const {
  std::uint64_t done = 0;
  while (done < count) {
    const ssize_t got = ::pread(descriptor_, static_cast<std::byte*>(bytes) + done,
                                std::min(count - done, kMostPerCall), static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    done += static_cast<std::uint64_t>(got);
  }
  return static_cast<std::int64_t>(done);
}

bool File::write_at(std::uint64_t offset, const void* bytes, std::uint64_t count) const {
  for (std::uint64_t done = 0; done < count;) {
    const ssize_t written = ::pwrite(descriptor_, static_cast<const std::byte*>(bytes) + done,
                                     std::min(count - done, kMostPerCall), static_cast<off_t>(offset + done));
    if (written < 0 && errno == EINTR) continue;
    if (written == 0) errno = ENOSPC;
    if (written <= 0) return false;
    done += static_cast<std::uint64_t>(written);
  }
  return true;
}

bool File::truncate(std::uint64_t size_bytes) const {
  return ::ftruncate(descriptor_, static_cast<off_t>(size_bytes)) == 0;
}

bool File::reserve(std::uint64_t size_bytes) const {
#if defined(__APPLE__)
  errno = EOPNOTSUPP;
  return size_bytes == 0;
#else
  return ::fallocate(descriptor_, 0, 0, static_cast<off_t>(size_bytes)) == 0;
#endif
}

std::uint64_t File::free_bytes() const {
  struct statvfs disk {};
  if (::fstatvfs(descriptor_, &disk) != 0 || disk.f_blocks == 0) return UINT64_MAX;
  const std::uint64_t block_bytes = disk.f_frsize;
  const bool representable = block_bytes == 0 || disk.f_bavail <= UINT64_MAX / block_bytes;
  return representable ? disk.f_bavail * block_bytes : UINT64_MAX;
}

void* File::map(std::uint64_t size_bytes) const {
  void* const bytes = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
  return bytes == MAP_FAILED ? nullptr : bytes;
}

void File::unmap(void* bytes, std::uint64_t count) { ::munmap(bytes, count); }

void File::release(void* bytes, std::uint64_t count) { ::madvise(bytes, count, MADV_DONTNEED); }

bool File::sync() const {
  if (::fsync(descriptor_) != 0 && errno != EINVAL && errno != EROFS) return false;
  const int second = ::dup(descriptor_);
  return second < 0 || ::close(second) == 0 || errno == EINTR;
}

}  // namespace convoy::inline v0
#endif
