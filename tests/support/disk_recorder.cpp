// A library to be preloaded (LD_PRELOAD) into a program whose calls that change files are to be watched, stopped at, or
// made to fail. Test scripts use it through tests/cli/disk_record.py. Environment:
//
//   DISK_ROOT=FOLDER     only what lies below this folder counts; needed for all that follows
//   DISK_LOG=FILE        every call is appended as one line (below); FILE lies outside DISK_ROOT
//   DISK_KILL_AT=N       before the N-th call that changes files (from 1), the process kills itself with SIGKILL
//   DISK_TORN=1          with DISK_KILL_AT: if that call is a write, half of its bytes are written before
//   DISK_STOP_AT=N       before the N-th such call the process stops itself (SIGSTOP), so that a test can change the
//                        folder in mid-run, and continue it with SIGCONT
//   DISK_FAIL=CALL:ERRNO[:N]  the N-th call (default: every) of that name (as in the log) fails with that error number
//   DISK_FREE_BYTES=N    statvfs and fstatvfs report so many bytes free, everywhere
//
// Calls are numbered through all threads and forks of a process. Calls that change files, and their lines:
//   create DIR NAME INODE | mkdir DIR NAME INODE | unlink DIR NAME | rename DIR NAME DIR NAME FLAGS INODE REPLACED |
//   link INODE DIR NAME | write INODE OFFSET HEX | truncate INODE LENGTH | allocate INODE LENGTH
// and, counted neither for DISK_KILL_AT nor for DISK_STOP_AT:
//   sync INODE | syncfs | close INODE
// DIR is a folder's inode number; REPLACED is that of what had the new name before, or 0. A line is written after the
// call, and only if the call succeeded; of calls that run at one time on several threads, the order of lines is the
// order in which they were made (one lock is held meanwhile).
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>

namespace {

template <class F>
F* next(const char* name) {
  return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

const char* setting(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

long number_setting(const char* name) {
  const char* value = setting(name);
  return value == nullptr ? 0 : std::atol(value);
}

std::recursive_mutex& calls_mutex() {
  static auto* const mutex = new std::recursive_mutex;
  return *mutex;
}

/// Of a folder that is given as a handle and a path below it.
std::string absolute_path(int folder, const char* path) {
  std::string whole = path;
  if (whole.empty() || whole[0] != '/') {
    char place[4096];
    const std::string link = folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/" + std::to_string(folder);
    const ssize_t length = ::readlink(link.c_str(), place, sizeof place);
    whole = std::string(place, length > 0 ? static_cast<std::size_t>(length) : 0) + "/" + whole;
  }
  return whole;
}

bool is_watched(const std::string& path) {
  static const std::string root = [] {
    const char* folder = setting("DISK_ROOT");
    char* real = folder == nullptr ? nullptr : ::realpath(folder, nullptr);
    std::string text = real == nullptr ? "" : real;
    std::free(real);
    return text;
  }();
  if (root.empty()) return false;
  return path.compare(0, root.size(), root) == 0 && (path.size() == root.size() || path[root.size()] == '/');
}

bool is_watched(int descriptor) {
  const int problem = errno;
  struct stat status {};
  const bool watched = ::fstat(descriptor, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) &&
                       is_watched(absolute_path(descriptor, ""));
  errno = problem;
  return watched;
}

unsigned long inode_of(int descriptor) {
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 ? status.st_ino : 0;
}

unsigned long inode_at(int folder, const std::string& path) {
  struct stat status {};
  return ::fstatat(folder, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 ? status.st_ino : 0;
}

/// "DIR NAME" of a path.
std::string entry_text(int folder, const char* path) {
  std::string text = path;
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  const std::size_t slash = text.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : slash == 0 ? "/" : text.substr(0, slash);
  struct stat status {};
  ::fstatat(folder, parent.c_str(), &status, 0);
  return std::to_string(status.st_ino) + " " + text.substr(slash == std::string::npos ? 0 : slash + 1);
}

void log_line(const std::string& line) {
  static const int log = [] {
    const char* path = setting("DISK_LOG");
    return path == nullptr
               ? -1
               : next<int(const char*, int, ...)>("open")(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  }();
  if (log < 0) return;
  const std::string text = line + "\n";
  const int problem = errno;
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t done = next<ssize_t(int, const void*, size_t)>("write")(log, text.data() + at, text.size() - at);
    if (done <= 0) break;
    at += static_cast<std::size_t>(done);
  }
  errno = problem;
}

std::string hex(const void* bytes, ssize_t count) {
  static const char* const kDigits = "0123456789abcdef";
  std::string text;
  for (ssize_t i = 0; i < count; ++i) {
    const unsigned char byte = static_cast<const unsigned char*>(bytes)[i];
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

/// Whether this call is to fail; errno is set.
bool must_fail(const char* call) {
  static long calls = 0;
  const char* wish = setting("DISK_FAIL");
  if (wish == nullptr) return false;
  const std::string text = wish;
  const std::size_t colon = text.find(':');
  if (text.substr(0, colon) != call) return false;
  const std::size_t second = text.find(':', colon + 1);
  const long at = second == std::string::npos ? 0 : std::atol(text.c_str() + second + 1);
  if (at != 0 && ++calls != at) return false;
  errno = std::atoi(text.c_str() + colon + 1);
  return true;
}

long num_changes = 0;  // calls that change files, until now

/// Before a call that changes files. `tear` writes half of what would be written.
template <class Tear>
void count_call(Tear tear) {
  static const long kill_at = number_setting("DISK_KILL_AT");
  static const long stop_at = number_setting("DISK_STOP_AT");
  const long calls = ++num_changes;
  if (calls == kill_at) {
    if (setting("DISK_TORN") != nullptr) tear();
    ::kill(::getpid(), SIGKILL);
    for (;;) ::pause();
  }
  if (calls == stop_at) ::kill(::getpid(), SIGSTOP);
}

void count_call() {
  count_call([] {});
}

/// Made anew by open; not what was there.
int open_and_log(const char* function, int folder, const char* path, int flags, mode_t mode) {
  const auto call = [&] { return next<int(int, const char*, int, ...)>(function)(folder, path, flags, mode); };
  const std::string whole = absolute_path(folder, path);
  if ((flags & (O_CREAT | O_TRUNC)) == 0 || (flags & O_DIRECTORY) != 0 || !is_watched(whole)) return call();
  const std::lock_guard lock(calls_mutex());
  struct stat status {};
  const bool was_there = ::fstatat(folder, path, &status, 0) == 0;
  const bool empties = was_there && (flags & O_TRUNC) != 0 && (flags & O_ACCMODE) != O_RDONLY;
  if (!was_there || empties) {
    count_call();
    if (must_fail(was_there ? "truncate" : "create")) return -1;
  }
  const int descriptor = call();
  if (descriptor < 0) return descriptor;
  const int problem = errno;
  if (!was_there) log_line("create " + entry_text(folder, path) + " " + std::to_string(inode_of(descriptor)));
  if (empties) log_line("truncate " + std::to_string(inode_of(descriptor)) + " 0");
  errno = problem;
  return descriptor;
}

mode_t mode_argument(int flags, va_list arguments) {
  return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, mode_t) : 0;
}

ssize_t write_and_log(int descriptor, const void* bytes, size_t count, const off_t* at) {
  const auto call = [&](size_t part) {
    return at == nullptr ? next<ssize_t(int, const void*, size_t)>("write")(descriptor, bytes, part)
                         : next<ssize_t(int, const void*, size_t, off_t)>("pwrite")(descriptor, bytes, part, *at);
  };
  if (!is_watched(descriptor)) return call(count);
  const std::lock_guard lock(calls_mutex());
  count_call([&] { (void)!call(count / 2); });
  if (must_fail("write")) return -1;
  off_t offset = at == nullptr ? ::lseek(descriptor, 0, SEEK_CUR) : *at;
  const bool appends = (::fcntl(descriptor, F_GETFL) & O_APPEND) != 0;
  if (appends) offset = ::lseek(descriptor, 0, SEEK_END);
  const ssize_t done = call(count);
  if (done >= 0) {
    log_line("write " + std::to_string(inode_of(descriptor)) + " " + std::to_string(offset) + " " + hex(bytes, done));
  }
  return done;
}

/// A call on an open file, with a line if it succeeds.
template <class Call>
int call_on_file(const char* name, int descriptor, bool changes, const std::string& line, Call call) {
  if (!is_watched(descriptor)) return call();
  const std::lock_guard lock(calls_mutex());
  if (changes) count_call();
  if (must_fail(name)) return -1;
  const int result = call();
  if (result == 0) log_line(line);
  return result;
}

/// A call on names, with a line if it succeeds.
template <class Call, class Line>
int call_on_name(const char* name, const std::string& path, Call call, Line line_after) {
  if (!is_watched(path)) return call();
  const std::lock_guard lock(calls_mutex());
  count_call();
  if (must_fail(name)) return -1;
  const int result = call();
  const int problem = errno;
  if (result == 0) log_line(line_after());
  errno = problem;
  return result;
}

int rename_and_log(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  const std::string before = entry_text(from_folder, from);
  const std::string inodes =
      std::to_string(inode_at(from_folder, from)) + " " + std::to_string(inode_at(to_folder, to));
  return call_on_name(
      "rename", absolute_path(to_folder, to),
      [&] {
        return next<int(int, const char*, int, const char*, unsigned)>("renameat2")(from_folder, from, to_folder, to,
                                                                                    flags);
      },
      [&] {
        return "rename " + before + " " + entry_text(to_folder, to) + " " + std::to_string(flags) + " " + inodes;
      });
}

int unlink_and_log(int folder, const char* path, int flags) {
  const std::string entry = entry_text(folder, path);
  return call_on_name(
      "unlink", absolute_path(folder, path),
      [&] { return next<int(int, const char*, int)>("unlinkat")(folder, path, flags); },
      [&] { return "unlink " + entry; });
}

int mkdir_and_log(int folder, const char* path, mode_t mode) {
  return call_on_name(
      "mkdir", absolute_path(folder, path),
      [&] { return next<int(int, const char*, mode_t)>("mkdirat")(folder, path, mode); },
      [&] { return "mkdir " + entry_text(folder, path) + " " + std::to_string(inode_at(folder, path)); });
}

template <class Status>
int with_free_bytes(int result, Status* status) {
  const char* free_bytes = setting("DISK_FREE_BYTES");
  if (result == 0 && free_bytes != nullptr) {
    status->f_bavail = status->f_bfree = std::strtoull(free_bytes, nullptr, 10) / status->f_frsize;
  }
  return result;
}

}  // namespace

extern "C" {

#define DISK_OPEN(name)                                         \
  int name(const char* path, int flags, ...) {                  \
    va_list arguments;                                          \
    va_start(arguments, flags);                                 \
    const mode_t mode = mode_argument(flags, arguments);        \
    va_end(arguments);                                          \
    return open_and_log("openat", AT_FDCWD, path, flags, mode); \
  }
#define DISK_OPENAT(name)                                     \
  int name(int folder, const char* path, int flags, ...) {    \
    va_list arguments;                                        \
    va_start(arguments, flags);                               \
    const mode_t mode = mode_argument(flags, arguments);      \
    va_end(arguments);                                        \
    return open_and_log("openat", folder, path, flags, mode); \
  }
DISK_OPEN(open)
DISK_OPEN(open64)
DISK_OPENAT(openat)
DISK_OPENAT(openat64)

ssize_t write(int descriptor, const void* bytes, size_t count) {
  return write_and_log(descriptor, bytes, count, nullptr);
}
ssize_t pwrite(int descriptor, const void* bytes, size_t count, off_t offset) {
  return write_and_log(descriptor, bytes, count, &offset);
}
ssize_t pwrite64(int descriptor, const void* bytes, size_t count, off_t offset) {
  return write_and_log(descriptor, bytes, count, &offset);
}
ssize_t writev(int descriptor, const struct iovec* parts, int count) {
  if (!is_watched(descriptor)) return next<ssize_t(int, const struct iovec*, int)>("writev")(descriptor, parts, count);
  std::string all;
  for (int i = 0; i < count; ++i) all.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  return write_and_log(descriptor, all.data(), all.size(), nullptr);
}

#define DISK_TRUNCATE(name)                                                                                \
  int name(int descriptor, off_t length) noexcept {                                                        \
    return call_on_file("truncate", descriptor, true,                                                      \
                        "truncate " + std::to_string(inode_of(descriptor)) + " " + std::to_string(length), \
                        [&] { return next<int(int, off_t)>("ftruncate")(descriptor, length); });           \
  }
DISK_TRUNCATE(ftruncate)
DISK_TRUNCATE(ftruncate64)

#define DISK_ALLOCATE(name)                                                                                \
  int name(int descriptor, int mode, off_t offset, off_t length) {                                         \
    return call_on_file(                                                                                   \
        "allocate", descriptor, true,                                                                      \
        "allocate " + std::to_string(inode_of(descriptor)) + " " + std::to_string(offset + length),        \
        [&] { return next<int(int, int, off_t, off_t)>("fallocate")(descriptor, mode, offset, length); }); \
  }
DISK_ALLOCATE(fallocate)
DISK_ALLOCATE(fallocate64)

int fsync(int descriptor) {
  return call_on_file("sync", descriptor, false, "sync " + std::to_string(inode_of(descriptor)),
                      [&] { return next<int(int)>("fsync")(descriptor); });
}
int fdatasync(int descriptor) {
  return call_on_file("sync", descriptor, false, "sync " + std::to_string(inode_of(descriptor)),
                      [&] { return next<int(int)>("fdatasync")(descriptor); });
}
int syncfs(int descriptor) noexcept {
  return call_on_file("syncfs", descriptor, false, "syncfs", [&] { return next<int(int)>("syncfs")(descriptor); });
}
int close(int descriptor) {
  return call_on_file("close", descriptor, false, "close " + std::to_string(inode_of(descriptor)),
                      [&] { return next<int(int)>("close")(descriptor); });
}

int rename(const char* from, const char* to) noexcept { return rename_and_log(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  return rename_and_log(from_folder, from, to_folder, to, 0);
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
  return rename_and_log(from_folder, from, to_folder, to, flags);
}
int unlink(const char* path) noexcept { return unlink_and_log(AT_FDCWD, path, 0); }
int rmdir(const char* path) noexcept { return unlink_and_log(AT_FDCWD, path, AT_REMOVEDIR); }
int unlinkat(int folder, const char* path, int flags) noexcept { return unlink_and_log(folder, path, flags); }
int remove(const char* path) noexcept {
  struct stat status {};
  const bool is_folder = ::lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
  return unlink_and_log(AT_FDCWD, path, is_folder ? AT_REMOVEDIR : 0);
}
int mkdir(const char* path, mode_t mode) noexcept { return mkdir_and_log(AT_FDCWD, path, mode); }
int mkdirat(int folder, const char* path, mode_t mode) noexcept { return mkdir_and_log(folder, path, mode); }
int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) noexcept {
  return call_on_name(
      "link", absolute_path(to_folder, to),
      [&] {
        return next<int(int, const char*, int, const char*, int)>("linkat")(from_folder, from, to_folder, to, flags);
      },
      [&] { return "link " + std::to_string(inode_at(to_folder, to)) + " " + entry_text(to_folder, to); });
}

#define DISK_STATVFS(name, first, type)                                                   \
  int name(first where, struct type* status) noexcept {                                   \
    return with_free_bytes(next<int(first, struct type*)>(#name)(where, status), status); \
  }
DISK_STATVFS(statvfs, const char*, statvfs)
DISK_STATVFS(statvfs64, const char*, statvfs64)
DISK_STATVFS(fstatvfs, int, statvfs)
DISK_STATVFS(fstatvfs64, int, statvfs64)

}  // extern "C"
