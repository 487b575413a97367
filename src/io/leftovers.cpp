#include "io/leftovers.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/path_text.hpp"
#include "convoy/io.hpp"
#include "io/io_error.hpp"

namespace convoy::io {
namespace {

constexpr int kMaxSearchDepth = 64;

bool is_temporary(HiddenKind kind) {
  return kind == HiddenKind::temporary_file || kind == HiddenKind::temporary_folder;
}

bool is_of_kind(HiddenKind kind, const FileStatus& status) {
  const bool is_file = status.kind == FileKind::file && status.num_names == 1;
  if (kind == HiddenKind::journal || kind == HiddenKind::temporary_file) return is_file;
  return status.kind == FileKind::folder || (kind == HiddenKind::kept && is_file);
}

/// An entry that convoy of this user may have made: no link, nothing of another owner or kind, no file of two names.
bool is_own(HiddenKind kind, const FileStatus& status) {
  return is_of_kind(kind, status) && status.owner == user_of_process();
}

/// An entry under its lock, if it is ours and no process has the lock. Where there are no locks, nothing counts as
/// free.
class Locked {
 public:
  Locked(const Folder& folder, const std::string& name, HiddenKind kind) : folder_(folder), name_(name) {
    const auto before = folder.status(name);
    if (!before || !is_own(kind, *before)) return;
    handle_ = before->kind == FileKind::folder ? folder.handle().open_folder(name, Links::refused)
                                               : folder.handle().open_to_change(name);
    if (!handle_) return;
    const FileStatus opened = handle_.status();
    const bool is_the_same = opened.identity == before->identity && is_own(kind, opened);
    if (!is_the_same || !handle_.lock()) handle_ = File();
  }

  /// Whether it is free, and still lies under its name.
  explicit operator bool() const { return handle_ && folder_.holds(name_, handle_.status().identity); }

 private:
  const Folder& folder_;
  std::string name_;
  File handle_;
};

/// Of all that is in a folder, too: bytes on the disk, and the last time at which anything was written.
void measure(const Folder& folder, const std::string& name, int depth, std::uint64_t& bytes, FileTime& written) {
  const auto status = folder.status(name);
  if (!status) return;
  bytes += status->allocated_bytes;
  written = std::max(written, status->modified);
  if (status->kind != FileKind::folder || depth == kMaxSearchDepth) return;
  const Folder inner = folder.subfolder(name);
  for (const std::string& entry : inner.names()) measure(inner, entry, depth + 1, bytes, written);
}

std::string beside(const std::string& output, const char* ending) { return "." + output + ending; }
std::string journal_of(const std::string& output) { return beside(output, ".convoy-journal"); }
std::string kept_of(const std::string& output) { return beside(output, ".convoy-part"); }

/// Nothing for what is not convoy's, or of which another entry gives account.
std::optional<Leftover> leftover_at(const Folder& folder, const std::string& name) {
  const auto hidden = parse_hidden_name(name);
  const auto status = hidden ? folder.status(name) : std::nullopt;
  if (!status || !is_own(hidden->kind, *status)) return std::nullopt;
  const bool has_kept = folder.status(kept_of(hidden->output)).has_value();
  const bool has_journal = folder.status(journal_of(hidden->output)).has_value();
  if (hidden->kind == HiddenKind::journal && has_kept) return std::nullopt;  // the kept file stands for both
  Leftover leftover;
  leftover.path = folder.path_of(name);
  leftover.output = folder.path_of(hidden->output);
  leftover.resumable = hidden->kind == HiddenKind::kept && has_journal;
  FileTime written;
  measure(folder, name, 0, leftover.size_bytes, written);
  if (leftover.resumable) {
    measure(folder, journal_of(hidden->output), 0, leftover.size_bytes, written);
    leftover.in_use = !Locked(folder, journal_of(hidden->output), HiddenKind::journal);
  } else {
    leftover.in_use = hidden->kind != HiddenKind::kept && !Locked(folder, name, hidden->kind);
  }
  leftover.age_seconds = static_cast<double>(std::max<std::int64_t>(0, time_now().seconds - written.seconds));
  return leftover;
}

bool remove_free(const Folder& folder, const std::string& name, HiddenKind kind) {
  const Locked locked(folder, name, kind);
  if (!locked) return false;
  folder.remove(name);
  return true;
}

/// The journal's lock is that of both, so it is made where there is none.
bool remove_kept(const Folder& folder, const std::string& output) {
  const std::string journal = journal_of(output);
  folder.open_own_file(journal);
  const Locked locked(folder, journal, HiddenKind::journal);
  if (!locked) return false;
  const auto kept = folder.status(kept_of(output));
  if (!kept || !is_own(HiddenKind::kept, *kept)) return false;
  folder.remove(kept_of(output));
  folder.remove(journal);
  return true;
}

}  // namespace

void remove_abandoned(const OutputPlace& place) noexcept {
  try {
    const Folder& folder = *place.folder();
    const std::string output = name_in_hidden(place.name(), folder.max_name_bytes());
    for (const std::string& name : folder.names()) {
      const auto hidden = parse_hidden_name(name);
      if (hidden && is_temporary(hidden->kind) && hidden->output == output) remove_free(folder, name, hidden->kind);
    }
  } catch (const std::exception&) {  // a later run tries again
  }
}

}  // namespace convoy::io

namespace convoy::inline v0 {

std::vector<Leftover> find_leftovers(const std::string& folder) {
  const io::Folder place(folder);
  std::vector<std::string> names = place.names();
  std::sort(names.begin(), names.end());
  std::vector<Leftover> leftovers;
  for (const std::string& name : names) {
    if (auto leftover = io::leftover_at(place, name)) leftovers.push_back(std::move(*leftover));
  }
  return leftovers;
}

bool remove_leftover(const std::string& path) {
  const std::filesystem::path whole = path_from(path);
  const std::string name = text_from(whole.filename());
  const auto hidden = io::parse_hidden_name(name);
  if (!hidden) io::fail(path, "is not removed: it has no name that convoy gives to what is unfinished");
  const io::Folder folder(io::folder_of(text_from(whole)));
  const auto status = folder.status(name);
  if (!status) return false;
  if (!io::is_own(hidden->kind, *status)) {
    io::fail(path, "is not removed: it is a link, belongs to another user or has another name, too");
  }
  if (hidden->kind == io::HiddenKind::kept) return io::remove_kept(folder, hidden->output);
  return io::remove_free(folder, name, hidden->kind);
}

}  // namespace convoy::inline v0
