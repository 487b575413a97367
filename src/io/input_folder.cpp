#include "io/input_folder.hpp"

#include <cerrno>
#include <cstring>

#include "io/io_error.hpp"

namespace convoy::io {
namespace {

File opened(const File& place, const std::string& name, const std::string& path, Links links) {
  File folder = place.open_folder(name, links);
  if (folder) return folder;
  if (errno == ENOENT || errno == ENOTDIR) fail(path, "cannot be read: there is no such folder");
  fail(path, "cannot be read: {}", std::strerror(errno));
}

/// Calls body for "a", "a/b" and "a/b/c" of the name "a/b/c", until it returns false.
void for_each_part(const std::string& name, const std::function<bool(const std::string&)>& body) {
  for (std::size_t end = 0; end != std::string::npos;) {
    end = name.find('/', end + 1);
    if (!body(name.substr(0, end))) return;
  }
}

}  // namespace

InputFolder::InputFolder(const std::string& path)
    : InputFolder(path, opened(File::working_folder(), path, path, Links::followed)) {}

InputFolder::InputFolder(const Folder& folder, const std::string& name)
    : InputFolder(folder.path_of(name), opened(folder.handle(), name, folder.path_of(name), Links::refused)) {}

InputFolder::InputFolder(const std::string& path, File folder)
    : path_(path), folder_(std::move(folder)), opened_at_(time_now()) {}

/// What is missing because a link leads nowhere is not missing.
void InputFolder::require_absent(const std::string& name) const {
  for_each_part(name, [&](const std::string& part) {
    const auto status = folder_.status_of(part, Links::refused);
    if (!status) {
      if (errno == ENOENT) return false;
      fail(path_of(name), "cannot be read: '{}': {}", path_of(part), std::strerror(errno));
    }
    if (status->kind == FileKind::link && !folder_.status_of(part, Links::followed)) {
      const char* problem = errno == ENOENT ? "is a link that leads nowhere" : std::strerror(errno);
      fail(path_of(name), "cannot be read: '{}' {}", path_of(part), problem);
    }
    return true;
  });
}

File InputFolder::found(const std::string& name, File opened) const {
  if (opened) return opened;
  if (errno != ENOENT) fail(path_of(name), "cannot be read: {}", std::strerror(errno));
  require_absent(name);
  return {};
}

std::unique_ptr<InputFile> InputFolder::find_file(const std::string& name) const {
  File file = found(name, folder_.open_to_read(name, Links::followed));
  return file ? std::make_unique<InputFile>(path_of(name), std::move(file)) : nullptr;
}

std::unique_ptr<InputFolder> InputFolder::find_folder(const std::string& name) const {
  File folder = found(name, folder_.open_folder(name, Links::followed));
  if (!folder) return nullptr;
  return std::unique_ptr<InputFolder>(new InputFolder(path_of(name), std::move(folder)));
}

bool InputFolder::has_entry(const std::string& name, const std::function<bool(const std::string&)>& wanted) const {
  const File folder = found(name, folder_.open_folder(name, Links::followed));
  bool has = false;
  const auto visit = [&](const std::string& entry) {
    has = wanted(entry);
    return !has;
  };
  if (folder && !folder.list(visit)) fail(path_of(name), "cannot be listed: {}", std::strerror(errno));
  return has;
}

bool InputFolder::has_changed_beside(const std::string& name) const {
  FileStatus status = folder_.status();
  for_each_part(name, [&](const std::string& part) {
    const auto deeper = folder_.status_of(part, Links::followed);
    if (deeper) status = *deeper;
    return deeper.has_value();
  });
  const bool by_another_clock = status.modified > time_now();  // as a file server may have
  return status.num_names == 0 || (!by_another_clock && status.modified > opened_at_);
}

}  // namespace convoy::io
