#include "io/output_folder.hpp"

#include <atomic>
#include <cerrno>
#include <cstring>

#include "io/io_error.hpp"
#include "io/leftovers.hpp"
#include "io/own_store.hpp"

namespace convoy::io {
namespace {

std::string folder_part(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  return slash == std::string::npos ? "" : file.substr(0, slash);
}

std::string name_part(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  return slash == std::string::npos ? file : file.substr(slash + 1);
}

constexpr const char* kUnnamed = ".convoy-";

/// Files that an earlier run began to write, and did not finish.
void remove_unnamed(const Folder& folder) {
  for (const std::string& name : folder.names()) {
    const auto status = folder.status(name);
    if (status && status->kind == FileKind::folder) {
      remove_unnamed(folder.subfolder(name));
    } else if (name.starts_with(kUnnamed)) {
      folder.remove(name);
    }
  }
}

using Fill = std::function<void(const OutputFolder::Append&)>;

void write_and_rename(const Folder& folder, const std::string& name, const Fill& fill) {
  static std::atomic<unsigned> counter{0};
  const std::string path = folder.path_of(name);
  const std::string temporary = fmt::format("{}{}.part", kUnnamed, counter++);
  const File file = folder.make_file(temporary);
  if (!file) fail(path, "cannot be written: '{}' is made by another process", temporary);
  std::uint64_t size = 0;
  fill([&](std::span<const std::byte> bytes) {
    write_fully(file, path, size, bytes.data(), bytes.size());
    size += bytes.size();
  });
  sync_file(file, path);
  const int problem = folder.rename(temporary, name);
  if (problem != 0) fail(path, "cannot be written: {}", std::strerror(problem));
}

void sync_all(const Folder& folder) {
  for (const std::string& name : folder.names()) {
    const auto status = folder.status(name);
    if (status && status->kind == FileKind::folder) sync_all(folder.subfolder(name));
  }
  folder.sync();
}

}  // namespace

void require_file(const Folder& folder, const std::string& file, std::uint64_t bytes) {
  const auto status = folder.status(file);
  if (!status || status->kind != FileKind::file) {
    fail(folder.path_of(file), "was removed by another process after it was written");
  }
  const std::uint64_t found = status->size_bytes;
  if (bytes == 0 ? found > 0 : found == bytes) return;
  fail(folder.path_of(file), "was changed by another process after it was written: it has {} bytes", found);
}

OutputFolder::OutputFolder(const std::string& path, OutputFile::Unfinished unfinished, bool overwrite)
    : place_(path), unfinished_(unfinished), overwrite_(overwrite) {
  require_replaceable();
  if (is_occupied()) require_exchange();
  try {
    if (unfinished == OutputFile::Unfinished::kept) {
      temporary_name_ = place_.kept_name();
      folder_ = std::make_unique<Folder>(place_.folder()->open_own_folder(temporary_name_));
      remove_unnamed(*folder_);
    } else {
      open_new();
    }
  } catch (const Error& error) {
    fail(path, "cannot be written: {}", error.what());
  }
  identity_ = folder_->identity();
}

/// What another process finds without lock, it may take for abandoned and remove; that is tried again.
void OutputFolder::open_new() {
  const Folder& place = *place_.folder();
  remove_abandoned(place_);
  for (;;) {
    temporary_name_ = place_.temporary_name(HiddenKind::temporary_folder);
    auto made = place.make_folder(temporary_name_);
    if (!made) continue;
    if (!lock_temporary(made->handle()) || !place.holds(temporary_name_, made->identity())) continue;
    folder_ = std::make_unique<Folder>(std::move(*made));
    entry_ = std::make_unique<TemporaryEntry>(place_.folder(), temporary_name_, folder_->identity());
    return;
  }
}

OutputFolder::~OutputFolder() {
  if (!folder_ || unfinished_ == OutputFile::Unfinished::kept) return;
  TemporaryEntry(place_.folder(), temporary_name_, identity_).remove();
}

/// By a folder that is not empty.
bool OutputFolder::is_occupied() const {
  return place_.folder()->status(place_.name()) && !place_.folder()->subfolder(place_.name()).names().empty();
}

void OutputFolder::require_replaceable() const {
  const auto target = place_.folder()->status(place_.name());
  if (!target) return;
  if (target->kind != FileKind::folder) fail(path(), "is a file; a Zarr store is a folder: name another one");
  const Folder store = place_.folder()->subfolder(place_.name());
  if (store.names().empty()) return;
  if (!is_zarr_store(store))
    fail(path(), "is a folder that is no Zarr store, and will not be replaced; name another one");
  if (!overwrite_)
    fail(path(),
         "exists; --overwrite (CreateOptions::overwrite) replaces it if convoy wrote it; or name another output");
  if (const auto foreign = foreign_entry(store)) {
    fail(path(), "holds {}: convoy replaces only what it wrote; name another output, or remove this one yourself",
         *foreign);
  }
}

/// Asked before anything is computed: some network file systems cannot exchange two folders in one step.
void OutputFolder::require_exchange() const {
  const Folder& place = *place_.folder();
  const std::string one = place_.temporary_name(HiddenKind::temporary_folder);
  const std::string other = place_.temporary_name(HiddenKind::temporary_folder);
  if (!place.make_folder(one)) return;
  const bool both = place.make_folder(other).has_value();
  const int problem = both ? place.exchange(one, other) : 0;
  place.remove(one);
  if (both) place.remove(other);
  if (problem == 0) return;
  fail(path(), "cannot be replaced in one step on this file system ({}); remove it, or name another output",
       std::strerror(problem));
}

void OutputFolder::empty() { folder_->empty(); }

void OutputFolder::require_there() const {
  if (place_.folder()->holds(temporary_name_, identity_)) return;
  fail(path(),
       "cannot be written: its unfinished folder '{}' was removed, moved or replaced by another process; nothing has "
       "been given the output's name; run it again",
       temporary_path());
}

void OutputFolder::write_file(const std::string& file, std::span<const std::byte> bytes) const {
  write_file(file, [bytes](const Append& append) { append(bytes); });
}

void OutputFolder::write_file(const std::string& file, const Fill& fill) const {
  require_there();
  try {
    const std::string parent = folder_part(file);
    if (parent.empty()) return write_and_rename(*folder_, file, fill);
    write_and_rename(folder_->subfolder(parent, Folder::Missing::made), name_part(file), fill);
  } catch (const Error& error) {
    require_there();  // the reason, more often than not
    fail(path(), "cannot be written: {}", error.what());
  }
}

void OutputFolder::write_text(const std::string& file, const std::string& text) {
  write_file(file, std::as_bytes(std::span(text)));
  text_bytes_[file] = text.size();
}

void OutputFolder::require_texts() const {
  for (const auto& [file, bytes] : text_bytes_) {
    const std::string parent = folder_part(file);
    if (parent.empty()) {
      require_file(*folder_, file, bytes);
    } else {
      require_file(folder_->subfolder(parent), name_part(file), bytes);
    }
  }
}

/// The order: files as they are written, then sub-folders, the name, the folder around, and at last what was replaced
/// goes. Whenever the machine stops, the disk has the store of before or the new one, never part of one.
void OutputFolder::commit() {
  require_there();
  try {
    require_texts();
    sync_all(*folder_);
  } catch (const Error& error) {
    fail(path(), "cannot be written: {}", error.what());
  }
  const auto still_wanted = temporary_names().hold();
  require_there();
  require_replaceable();
  if (is_occupied()) return replace_store();
  const int problem = place_.folder()->rename(temporary_name_, place_.name());
  if (problem != 0) fail(path(), "cannot be given its name: {}", std::strerror(problem));
  entry_.reset();
  folder_.reset();
  place_.confirm(identity_);
}

void OutputFolder::replace_store() {
  const Folder& place = *place_.folder();
  const Folder before = place.subfolder(place_.name());
  const FileIdentity replaced = before.identity();
  const int problem = place.exchange(temporary_name_, place_.name());
  if (problem != 0) fail(path(), "cannot be given its name: {}", std::strerror(problem));
  entry_.reset();
  folder_.reset();
  place_.confirm(identity_);
  if (place.holds(temporary_name_, replaced)) {
    const Folder old = place.subfolder(temporary_name_);
    if (old.identity() == replaced) remove_own_entries(old);
    if (place.handle().remove(temporary_name_, FileKind::folder)) return;
  }
  fail(path(), "is written, but the store of before was changed meanwhile; what convoy did not write stays in '{}'",
       place.path_of(temporary_name_));
}

}  // namespace convoy::io
