#include "kernels/kernel_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cctype>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>

#include "base/handle.hpp"
#include "base/log.hpp"
#include "base/settings.hpp"

namespace convoy {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDump = "CONVOY_DUMP_KERNELS";
constexpr const char* kUse = "CONVOY_USE_KERNELS";
constexpr int kNoLinks = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;

std::optional<std::string> folder_of(const char* variable) {
  const char* const value = setting(variable);
  if (value == nullptr) return {};
  std::error_code problem;
  const fs::path whole = fs::absolute(value, problem);
  return problem ? std::string(value) : whole.string();
}

/// FNV-1a, folded to 32 bits: it distinguishes texts of one kernel.
std::uint32_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return static_cast<std::uint32_t>(hash ^ (hash >> 32));
}

std::string as_file_name(std::string text) {
  constexpr std::size_t kLongest = 180;
  for (char& c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '_') c = '_';
  }
  return text.substr(0, kLongest);
}

std::string name_of(const KernelFile& file, const std::string& text) {
  const std::string architecture = file.architecture.empty() ? "" : "-" + file.architecture;
  return fmt::format("{}-{:08x}.{}", as_file_name(file.name + architecture), hash_of(text), file.extension);
}

/// The folder; nothing, and why, if files in it are not to be read or written.
Handle opened(const std::string& path, std::string& problem) {
  Handle folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) problem = std::strerror(errno);
  return folder;
}

/// Why this user's kernels are not to be taken from there: they are run. Empty: they may be.
std::string distrust(const struct stat& status) {
  if (status.st_uid != ::geteuid() && status.st_uid != 0) return "it belongs to another user";
  return (status.st_mode & S_IWOTH) != 0 ? "every user may write to it" : "";
}

/// The text of a regular file; nothing, and why, for anything else.
std::optional<std::string> text_of(const Handle& folder, const std::string& name, bool must_be_trusted,
                                   std::string& problem) {
  constexpr off_t kMostBytes = off_t{64} << 20;
  const Handle file(::openat(folder.descriptor(), name.c_str(), O_RDONLY | kNoLinks));
  struct stat status {};
  if (!file || ::fstat(file.descriptor(), &status) != 0) {
    problem = errno == ENOENT ? "there is none" : errno == ELOOP ? "it is a link" : std::strerror(errno);
    return {};
  }
  if (!S_ISREG(status.st_mode) || status.st_size > kMostBytes) problem = "it is no regular file, or too large";
  if (problem.empty() && must_be_trusted) problem = distrust(status);
  if (!problem.empty()) return {};
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t got = ::pread(file.descriptor(), text.data() + at, text.size() - at, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      problem = got < 0 ? std::strerror(errno) : "it became shorter";
      return {};
    }
    at += static_cast<std::size_t>(got);
  }
  return text;
}

/// The error, as errno has it; 0 if all was written to a file that was not there.
int write_new(const Handle& folder, const std::string& name, std::string_view text) {
  Handle file(::openat(folder.descriptor(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | kNoLinks, 0644));
  if (!file) return errno;
  while (!text.empty()) {
    const ssize_t written = ::write(file.descriptor(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return written < 0 ? errno : EIO;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return file.close();
}

/// Whole under its name, or not at all. The error, EEXIST if there is something of that name.
int write_whole(const Handle& folder, const std::string& name, const std::string& text) {
  static std::atomic<unsigned> count{0};
  const std::string part = fmt::format(".{}.{}.{}.part", name, ::getpid(), count++);
  int error = write_new(folder, part, text);
  if (error == EEXIST) return EBUSY;
  if (error == 0 && ::linkat(folder.descriptor(), part.c_str(), folder.descriptor(), name.c_str(), 0) != 0)
    error = errno;
  ::unlinkat(folder.descriptor(), part.c_str(), 0);
  const bool has_no_links = error == EPERM || error == EOPNOTSUPP || error == EMLINK;
  return has_no_links ? write_new(folder, name, text) : error;
}

/// Whether the folder now holds the text under that name.
bool dump(const std::string& path, const std::string& name, const std::string& text) {
  std::string problem;
  ::mkdir(path.c_str(), 0755);
  const Handle folder = opened(path, problem);
  const int error = folder ? write_whole(folder, name, text) : 0;
  if (folder && error == 0) {
    log("dispatch", "{}: wrote {}/{}", kDump, path, name);
    return true;
  }
  if (error == EEXIST) {
    if (text_of(folder, name, false, problem) == text) return true;
    log("dispatch", "{}: {}/{} is left as it is: {}", kDump, path, name,
        problem.empty() ? "it holds something else, an edited kernel perhaps" : problem);
    return false;
  }
  log("dispatch", "{}: {}/{} cannot be written: {}", kDump, path, name, error != 0 ? std::strerror(error) : problem);
  return false;
}

/// The user's text of that name, if there is one that may be used.
std::optional<std::string> users_text(const std::string& path, const std::string& name) {
  std::string problem;
  std::optional<std::string> text;
  if (const Handle folder = opened(path, problem)) {
    struct stat status {};
    problem = ::fstat(folder.descriptor(), &status) == 0 ? distrust(status) : std::strerror(errno);
    if (problem.empty()) text = text_of(folder, name, true, problem);
  }
  if (!text) log("dispatch", "{}: {}/{} is not taken: {}; the generated text is compiled", kUse, path, name, problem);
  return text;
}

}  // namespace

bool wants_kernel_files() { return folder_of(kDump) || folder_of(kUse); }

KernelSource kernel_source(const std::string& text, const KernelFile& file) {
  KernelSource source{text, "", false};
  if (!wants_kernel_files()) return source;
  const std::string name = name_of(file, text);
  const std::string whole = file.header + "\n" + text;
  if (const auto folder = folder_of(kUse)) {
    if (auto users = users_text(*folder, name)) {
      source = {std::move(*users), *folder + "/" + name, true};
      source.edited = source.text != whole;
      if (source.edited) log("dispatch", "{}: {} is compiled in place of the generated text", kUse, source.path);
    }
  }
  if (const auto folder = folder_of(kDump)) {
    const std::string& compiled = source.path.empty() ? whole : source.text;
    const bool dumped = dump(*folder, name, compiled);
    if (dumped && source.path.empty()) source = {whole, *folder + "/" + name, false};
  }
  return source;
}

}  // namespace convoy
