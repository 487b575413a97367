#include "io/output_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "convoy/io.hpp"
#include "convoy/plan.hpp"
#include "io/io_error.hpp"
#include "io/temporary_names.hpp"

namespace convoy::io {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostPerCall = 1U << 30;

/// The file that will be replaced: what a symbolic link points to, not the link.
fs::path resolved_target(const std::string& path) {
  std::error_code problem;
  const fs::path target = fs::is_symlink(path, problem) ? fs::weakly_canonical(path, problem) : fs::path(path);
  return problem ? fs::path(path) : target;
}

std::string hidden_beside(const std::string& path, const char* extension) {
  const fs::path target = resolved_target(path);
  return (target.parent_path() / ("." + target.filename().string() + extension)).string();
}

void require_replaceable(const std::string& path, const fs::path& target) {
  std::error_code problem;
  const fs::file_status status = fs::status(target, problem);
  if (!fs::exists(status)) return;
  if (fs::is_directory(status)) fail(path, "is a folder; name a file to write");
  if (!fs::is_regular_file(status)) fail(path, "is not a regular file and cannot be replaced");
  if (::access(target.c_str(), W_OK) != 0) fail(path, "cannot be written: {}", std::strerror(errno));
}

}  // namespace

OutputFile::OutputFile(const std::string& path, Unfinished unfinished) : path_(path), unfinished_(unfinished) {
  if (path.empty()) throw Error(Errc::io, "the name of the file to write is empty");
  const fs::path target = resolved_target(path);
  const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  std::error_code problem;
  if (!fs::is_directory(folder, problem)) fail(path, "cannot be written: there is no folder '{}'", folder.string());
  require_replaceable(path, target);
  target_path_ = target.string();
  if (unfinished == Unfinished::kept) {
    open_kept();
  } else {
    open_new(folder.string());
  }
}

void OutputFile::open_new(const std::string& folder) {
  static std::atomic<unsigned> counter{0};
  int descriptor = -1;
  do {
    temporary_path_ = (fs::path(folder) / fmt::format(".convoy-{}-{}.part", ::getpid(), counter++)).string();
    descriptor = ::open(temporary_path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor < 0 && errno == EEXIST);
  if (descriptor < 0) fail(path_, "cannot be written: {}", std::strerror(errno));
  stream_ = ::fdopen(descriptor, "w+b");
  temporary_names().add(temporary_path_);
}

void OutputFile::open_kept() {
  temporary_path_ = kept_path(path_);
  const int descriptor = ::open(temporary_path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) fail(path_, "cannot be written: {}", std::strerror(errno));
  stream_ = ::fdopen(descriptor, "r+b");
}

OutputFile::~OutputFile() {
  if (stream_ != nullptr) std::fclose(stream_);
  if (temporary_path_.empty()) return;
  if (unfinished_ == Unfinished::removed) ::unlink(temporary_path_.c_str());
  temporary_names().remove(temporary_path_);
}

std::uint64_t OutputFile::size_bytes() const {
  struct stat status {};
  if (::fstat(::fileno(stream_), &status) != 0) fail(path_, "cannot be written: {}", std::strerror(errno));
  return static_cast<std::uint64_t>(status.st_size);
}

void OutputFile::write(const void* bytes, std::uint64_t count) {
  if (std::fwrite(bytes, 1, count, stream_) != count) fail(path_, "cannot be written: {}", std::strerror(errno));
}

void OutputFile::reserve(std::uint64_t bytes) {
  const int descriptor = ::fileno(stream_);
  const auto length = static_cast<off_t>(std::min<std::uint64_t>(bytes, INT64_MAX));
  if (::fallocate(descriptor, 0, 0, length) == 0) return;
  struct statvfs disk {};
  const bool known = ::fstatvfs(descriptor, &disk) == 0;
  const std::uint64_t free_bytes = known ? saturating_product(disk.f_bavail, disk.f_frsize) : UINT64_MAX;
  const bool cannot_reserve = errno == EOPNOTSUPP || errno == ENOSYS;
  if (errno == ENOSPC || free_bytes < bytes) {
    const std::string folder = fs::path(temporary_path_).parent_path().string();
    fail(path_, "needs {}, but the disk of '{}' has {} free: {} are missing; free them or write elsewhere",
         bytes_to_text(bytes), folder.empty() ? "." : folder, bytes_to_text(free_bytes),
         bytes_to_text(bytes - std::min(bytes, free_bytes)));
  }
  if (cannot_reserve && ::ftruncate(descriptor, length) == 0) return;
  fail(path_, "a file of {} cannot be written: {}", bytes_to_text(bytes), std::strerror(errno));
}

void OutputFile::write_at(std::uint64_t offset, const std::byte* bytes, std::uint64_t count) {
  while (count > 0) {
    const ssize_t written =
        ::pwrite(::fileno(stream_), bytes, std::min(count, kMostPerCall), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail(path_, "cannot be written: {}", std::strerror(errno));
    bytes += written;
    offset += static_cast<std::uint64_t>(written);
    count -= static_cast<std::uint64_t>(written);
  }
}

void OutputFile::read_at(std::uint64_t offset, std::byte* bytes, std::uint64_t count) const {
  while (count > 0) {
    const ssize_t got = ::pread(::fileno(stream_), bytes, std::min(count, kMostPerCall), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      fail(path_, "its temporary file cannot be read: {}", got < 0 ? std::strerror(errno) : "it ends early");
    bytes += got;
    offset += static_cast<std::uint64_t>(got);
    count -= static_cast<std::uint64_t>(got);
  }
}

void OutputFile::commit() {
  const bool failed = std::fclose(stream_) != 0;
  stream_ = nullptr;
  const auto still_wanted = temporary_names().hold();
  if (failed || ::rename(temporary_path_.c_str(), target_path_.c_str()) != 0) {
    fail(path_, "cannot be written: {}", std::strerror(errno));
  }
  temporary_names().remove(temporary_path_);
  temporary_path_.clear();
}

std::string kept_path(const std::string& path) { return hidden_beside(path, ".convoy-part"); }
std::string journal_path(const std::string& path) { return hidden_beside(path, ".convoy-journal"); }

}  // namespace convoy::io

namespace convoy {

void write_text(const std::string& path, const std::string& text) {
  io::OutputFile output(path);
  output.write(text.data(), text.size());
  output.commit();
}

void require_writable(const std::string& path) { io::OutputFile probe(path); }

}  // namespace convoy
