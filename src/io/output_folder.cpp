#include "io/output_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "io/io_error.hpp"
#include "io/temporary_names.hpp"

namespace convoy::io {
namespace {

namespace fs = std::filesystem;

bool is_zarr_store(const fs::path& folder) {
  for (const char* name : {".zgroup", ".zarray", "zarr.json"}) {
    if (fs::exists(folder / name)) return true;
  }
  return fs::is_empty(folder);
}

/// The folder that will be replaced: what a symbolic link points to, not the link.
fs::path target_of(const std::string& path) {
  std::string name = path;
  while (name.size() > 1 && name.back() == '/') name.pop_back();
  return fs::is_symlink(name) ? fs::weakly_canonical(name) : fs::path(name);
}

void require_replaceable(const std::string& path, const fs::path& target) {
  if (!fs::exists(target)) return;
  if (!fs::is_directory(target)) fail(path, "is a file; a Zarr store is a folder: name another one");
  if (!is_zarr_store(target))
    fail(path, "is a folder that is no Zarr store, and will not be replaced; name another one");
}

}  // namespace

OutputFolder::OutputFolder(const std::string& path, OutputFile::Unfinished unfinished)
    : path_(path), unfinished_(unfinished) {
  const fs::path target = target_of(path);
  const fs::path place = target.has_parent_path() ? target.parent_path() : fs::path(".");
  if (!fs::is_directory(place)) fail(path, "cannot be written: there is no folder '{}'", place.string());
  require_replaceable(path, target);
  target_path_ = target.string();
  if (unfinished == OutputFile::Unfinished::kept) {
    temporary_path_ = kept_path(target_path_);
    if (::mkdir(temporary_path_.c_str(), 0777) == 0 || errno == EEXIST) return;
    fail(path, "cannot be written: {}", std::strerror(errno));
  }
  static std::atomic<unsigned> counter{0};
  do {
    temporary_path_ = (place / fmt::format(".convoy-{}-{}.folder", ::getpid(), counter++)).string();
    if (::mkdir(temporary_path_.c_str(), 0777) == 0) {
      temporary_names().add(temporary_path_);
      return;
    }
  } while (errno == EEXIST);
  fail(path, "cannot be written: {}", std::strerror(errno));
}

OutputFolder::~OutputFolder() {
  if (temporary_path_.empty()) return;
  std::error_code ignored;
  if (unfinished_ == OutputFile::Unfinished::removed) fs::remove_all(temporary_path_, ignored);
  temporary_names().remove(temporary_path_);
}

void OutputFolder::empty() {
  for (const fs::directory_entry& entry : fs::directory_iterator(temporary_path_)) fs::remove_all(entry.path());
}

void OutputFolder::commit() {
  const auto still_wanted = temporary_names().hold();
  const char* from = temporary_path_.c_str();
  const char* to = target_path_.c_str();
  if (::rename(from, to) == 0) {  // there was nothing, or an empty folder
    temporary_names().remove(temporary_path_);
    temporary_path_.clear();
    return;
  }
  const bool occupied = errno == ENOTEMPTY || errno == EEXIST;
  if (!occupied || ::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE) != 0) {
    fail(path_, "cannot be given its name: {}; what is written stays in '{}'", std::strerror(errno), temporary_path_);
  }
  unfinished_ = OutputFile::Unfinished::removed;  // what now lies under the temporary name is the store of before
}

}  // namespace convoy::io
