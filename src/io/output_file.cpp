#include "io/output_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "convoy/bytes_text.hpp"
#include "convoy/io.hpp"
#include "io/io_error.hpp"
#include "io/leftovers.hpp"

namespace convoy::io {
namespace {

constexpr std::uint64_t kMostPerCall = 1U << 30;

/// Free to this user; the largest number where the file system does not say.
std::uint64_t free_bytes_of(int descriptor) {
  struct statvfs disk {};
  const bool known = ::fstatvfs(descriptor, &disk) == 0 && disk.f_blocks > 0;
  return known ? saturating_product(disk.f_bavail, disk.f_frsize) : UINT64_MAX;
}

/// Disk space that the file has already.
std::uint64_t allocated_bytes_of(int descriptor) {
  constexpr std::uint64_t kBlockBytes = 512;
  return static_cast<std::uint64_t>(status_of(descriptor).st_blocks) * kBlockBytes;
}

}  // namespace

bool lock_temporary(int descriptor) { return ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK; }

std::string write_problem(int error) {
  rlimit limit{};
  const bool limited = error == EFBIG && ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  if (!limited) return std::strerror(error);
  return fmt::format("{}: this process may write files of at most {} (ulimit -f); raise that limit",
                     std::strerror(error), bytes_to_text(limit.rlim_cur));
}

void write_fully(int descriptor, const std::string& path, std::uint64_t offset, const std::byte* bytes,
                 std::uint64_t count) {
  while (count > 0) {
    const ssize_t written = ::pwrite(descriptor, bytes, std::min(count, kMostPerCall), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail(path, "cannot be written: {}", write_problem(written < 0 ? errno : ENOSPC));
    bytes += written;
    offset += static_cast<std::uint64_t>(written);
    count -= static_cast<std::uint64_t>(written);
  }
}

void sync_file(int descriptor, const std::string& path) {
  const bool cannot = ::fsync(descriptor) != 0 && errno != EINVAL && errno != EROFS;
  if (cannot) fail(path, "cannot be brought to the disk: {}", std::strerror(errno));
  Handle second(::dup(descriptor));
  if (const int problem = second.close(); problem != 0 && problem != EINTR) {
    fail(path, "cannot be brought to the disk: {}", std::strerror(problem));
  }
}

OutputFile::OutputFile(const std::string& path, Unfinished unfinished) : place_(path), unfinished_(unfinished) {
  require_replaceable();
  try {
    if (unfinished == Unfinished::kept) {
      open_kept();
    } else {
      open_new();
    }
  } catch (const Error& error) {
    fail(path, "cannot be written: {}", error.what());
  }
}

/// Through a link, too, only a regular file is replaced.
void OutputFile::require_replaceable() const {
  const auto target = place_.folder()->status(place_.name());
  if (!target) return;
  if (S_ISDIR(target->st_mode)) fail(path(), "is a folder; name a file to write");
  if (!S_ISREG(target->st_mode)) fail(path(), "is not a regular file and cannot be replaced");
  if (::faccessat(place_.folder()->descriptor(), place_.name().c_str(), W_OK, AT_EACCESS) == 0) return;
  fail(path(), "cannot be written: {}", std::strerror(errno));
}

/// What another process finds without lock, it may take for abandoned and remove; that is tried again.
void OutputFile::open_new() {
  const Folder& folder = *place_.folder();
  remove_abandoned(place_);
  for (;;) {
    temporary_name_ = place_.temporary_name(HiddenKind::temporary_file);
    file_ = folder.make_file(temporary_name_);
    if (!file_) continue;
    const FileIdentity identity = identity_of(status_of(file_.descriptor()));
    if (!folder.holds(temporary_name_, identity)) continue;
    if (!lock_temporary(file_.descriptor())) {  // by a process that checks whether it is abandoned
      TemporaryEntry(place_.folder(), temporary_name_, identity).remove();
      continue;
    }
    entry_ = std::make_unique<TemporaryEntry>(place_.folder(), temporary_name_, identity);
    return;
  }
}

void OutputFile::open_kept() {
  temporary_name_ = place_.kept_name();
  file_ = place_.folder()->open_own_file(temporary_name_);
}

OutputFile::~OutputFile() {
  if (!file_ || unfinished_ == Unfinished::kept) return;
  TemporaryEntry(place_.folder(), temporary_name_, identity_of(status_of(file_.descriptor()))).remove();
}

std::uint64_t OutputFile::size_bytes() const {
  return static_cast<std::uint64_t>(status_of(file_.descriptor()).st_size);
}

void OutputFile::write(const void* bytes, std::uint64_t count) {
  write_at(position_, static_cast<const std::byte*>(bytes), count);
  position_ += count;
}

void OutputFile::fail_for_space(std::uint64_t bytes, std::uint64_t free_bytes) const {
  fail(path(), "needs {}, but the disk of '{}' has {} free: {} are missing; free them or write elsewhere",
       bytes_to_text(bytes), place_.folder()->path(), bytes_to_text(free_bytes),
       bytes_to_text(bytes - std::min(bytes, free_bytes)));
}

void OutputFile::require_free(std::uint64_t bytes) const {
  const std::uint64_t taken = allocated_bytes_of(file_.descriptor());
  const std::uint64_t free_bytes = free_bytes_of(file_.descriptor());
  if (bytes > taken && bytes - taken > free_bytes) fail_for_space(bytes - taken, free_bytes);
}

/// In steps, so that of two that reserve at one time neither fills the disk before it finds that there is too little.
void OutputFile::reserve(std::uint64_t bytes) {
  constexpr std::uint64_t kSteps = 16;
  constexpr std::uint64_t kLeastStep = std::uint64_t{64} << 20;
  const int descriptor = file_.descriptor();
  const std::uint64_t size = size_bytes();
  const std::uint64_t length = std::min<std::uint64_t>(bytes, INT64_MAX);
  const std::uint64_t step = std::max(kLeastStep, length / kSteps);
  if (size > length && ::ftruncate(descriptor, static_cast<off_t>(length)) != 0) {
    fail(path(), "cannot be shortened: {}", std::strerror(errno));
  }
  for (std::uint64_t done = 0; done < length;) {
    require_free(bytes);
    done += std::min(step, length - done);
    if (::fallocate(descriptor, 0, 0, static_cast<off_t>(done)) == 0) continue;
    const int problem = errno;
    const bool cannot_reserve = problem == EOPNOTSUPP || problem == ENOSYS;
    if (cannot_reserve && ::ftruncate(descriptor, static_cast<off_t>(length)) == 0) break;
    if (::ftruncate(descriptor, static_cast<off_t>(std::min(size, length))) == 0 && problem == ENOSPC) {
      require_free(bytes);
    }
    fail(path(), "a file of {} cannot be written: {}", bytes_to_text(bytes), write_problem(problem));
  }
  end_ = std::max(end_.load(), bytes);
}

void OutputFile::write_at(std::uint64_t offset, const std::byte* bytes, std::uint64_t count) {
  write_fully(file_.descriptor(), path(), offset, bytes, count);
  const std::uint64_t end = offset + count;
  for (std::uint64_t before = end_; before < end && !end_.compare_exchange_weak(before, end);) {
  }
}

void OutputFile::read_at(std::uint64_t offset, std::byte* bytes, std::uint64_t count) const {
  while (count > 0) {
    const ssize_t got = ::pread(file_.descriptor(), bytes, std::min(count, kMostPerCall), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      fail(path(), "its temporary file cannot be read: {}", got < 0 ? std::strerror(errno) : "it ends early");
    }
    bytes += got;
    offset += static_cast<std::uint64_t>(got);
    count -= static_cast<std::uint64_t>(got);
  }
}

void OutputFile::require_there() const {
  if (place_.folder()->holds(temporary_name_, identity_of(status_of(file_.descriptor())))) return;
  fail(path(),
       "cannot be written: its unfinished file '{}' was removed or replaced by another process; nothing has been given "
       "the output's name; run it again",
       place_.folder()->path_of(temporary_name_));
}

void OutputFile::sync() { sync_file(file_.descriptor(), path()); }

/// The order: voxels and size, then the name, then the folder. Whenever the machine stops, the disk has the file of
/// before or the new one, never part of one.
void OutputFile::commit() {
  sync();
  const auto still_wanted = temporary_names().hold();
  require_there();
  if (size_bytes() != end_) {
    fail(path(),
         "cannot be written: its unfinished file was changed by another process: it has {} bytes in place of {}",
         size_bytes(), end_.load());
  }
  require_replaceable();
  const int problem = place_.folder()->rename(temporary_name_, *place_.folder(), place_.name());
  if (problem != 0) fail(path(), "cannot be written: {}", std::strerror(problem));
  const FileIdentity identity = identity_of(status_of(file_.descriptor()));
  entry_.reset();
  file_ = Handle();
  place_.confirm(identity);
}

}  // namespace convoy::io

namespace convoy {

void write_text(const std::string& path, const std::string& text) {
  io::OutputFile output(path);
  output.write(text.data(), text.size());
  output.commit();
}

void require_writable(const std::string& path) { io::OutputFile probe(path); }

}  // namespace convoy
