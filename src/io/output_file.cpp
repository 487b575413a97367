#include "io/output_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "convoy/bytes_text.hpp"
#include "convoy/io.hpp"
#include "io/io_error.hpp"
#include "io/leftovers.hpp"

namespace convoy::io {
bool lock_temporary(const File& file) { return file.lock() || errno != EWOULDBLOCK; }

std::string write_problem(int error) {
  const std::uint64_t limit = error == EFBIG ? max_file_bytes() : UINT64_MAX;
  if (limit == UINT64_MAX) return std::strerror(error);
  return fmt::format("{}: this process may write files of at most {} (ulimit -f); raise that limit",
                     std::strerror(error), bytes_to_text(limit));
}

void write_fully(const File& file, const std::string& path, std::uint64_t offset, const std::byte* bytes,
                 std::uint64_t count) {
  if (!file.write_at(offset, bytes, count)) fail(path, "cannot be written: {}", write_problem(errno));
}

void sync_file(const File& file, const std::string& path) {
  if (!file.sync()) fail(path, "cannot be brought to the disk: {}", std::strerror(errno));
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
  if (target->kind == FileKind::folder) fail(path(), "is a folder; name a file to write");
  if (target->kind != FileKind::file) fail(path(), "is not a regular file and cannot be replaced");
  if (place_.folder()->handle().may_change(place_.name())) return;
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
    const FileIdentity identity = file_.status().identity;
    if (!folder.holds(temporary_name_, identity)) continue;
    if (!lock_temporary(file_)) {  // by a process that checks whether it is abandoned
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
  TemporaryEntry(place_.folder(), temporary_name_, file_.status().identity).remove();
}

std::uint64_t OutputFile::size_bytes() const { return file_.status().size_bytes; }

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
  const std::uint64_t taken = file_.status().allocated_bytes;
  const std::uint64_t free_bytes = file_.free_bytes();
  if (bytes > taken && bytes - taken > free_bytes) fail_for_space(bytes - taken, free_bytes);
}

/// In steps, so that of two that reserve at one time neither fills the disk before it finds that there is too little.
void OutputFile::reserve(std::uint64_t bytes) {
  constexpr std::uint64_t kSteps = 16;
  constexpr std::uint64_t kLeastStep = std::uint64_t{64} << 20;
  const std::uint64_t size = size_bytes();
  const std::uint64_t length = std::min<std::uint64_t>(bytes, INT64_MAX);
  const std::uint64_t step = std::max(kLeastStep, length / kSteps);
  if (size > length && !file_.truncate(length)) fail(path(), "cannot be shortened: {}", std::strerror(errno));
  for (std::uint64_t done = 0; done < length;) {
    require_free(bytes);
    done += std::min(step, length - done);
    if (file_.reserve(done)) continue;
    const int problem = errno;
    const bool cannot_reserve = problem == EOPNOTSUPP || problem == ENOSYS;
    if (cannot_reserve && file_.truncate(length)) break;
    if (file_.truncate(std::min(size, length)) && problem == ENOSPC) require_free(bytes);
    fail(path(), "a file of {} cannot be written: {}", bytes_to_text(bytes), write_problem(problem));
  }
  end_ = std::max(end_.load(), bytes);
}

void OutputFile::write_at(std::uint64_t offset, const std::byte* bytes, std::uint64_t count) {
  write_fully(file_, path(), offset, bytes, count);
  const std::uint64_t end = offset + count;
  for (std::uint64_t before = end_; before < end && !end_.compare_exchange_weak(before, end);) {
  }
}

void OutputFile::read_at(std::uint64_t offset, std::byte* bytes, std::uint64_t count) const {
  const std::int64_t got = file_.read_at(offset, bytes, count);
  if (got >= 0 && static_cast<std::uint64_t>(got) == count) return;
  fail(path(), "its temporary file cannot be read: {}", got < 0 ? std::strerror(errno) : "it ends early");
}

void OutputFile::require_there() const {
  if (place_.folder()->holds(temporary_name_, file_.status().identity)) return;
  fail(path(),
       "cannot be written: its unfinished file '{}' was removed or replaced by another process; nothing has been given "
       "the output's name; run it again",
       place_.folder()->path_of(temporary_name_));
}

void OutputFile::sync() { sync_file(file_, path()); }

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
  const FileIdentity identity = file_.status().identity;
  const int problem = place_.folder()->rename(temporary_name_, place_.name());
  if (problem != 0) fail(path(), "cannot be written: {}", std::strerror(problem));
  entry_.reset();
  file_ = File();
  place_.confirm(identity);
}

}  // namespace convoy::io

namespace convoy::inline v0 {

void write_text(const std::string& path, const std::string& text) {
  io::OutputFile output(path);
  output.write(text.data(), text.size());
  output.commit();
}

void require_writable(const std::string& path) { io::OutputFile probe(path); }

}  // namespace convoy::inline v0
