#include "kernels/kernel_files.hpp"

#include <fmt/format.h>

#include <atomic>
#include <cctype>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>

#include "base/file.hpp"
#include "base/log.hpp"
#include "base/path_text.hpp"
#include "base/settings.hpp"

namespace convoy::inline v0 {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDump = "CONVOY_DUMP_KERNELS";
constexpr const char* kUse = "CONVOY_USE_KERNELS";

std::optional<std::string> folder_of(const char* variable) {
  const char* const value = setting(variable);
  if (value == nullptr) return {};
  std::error_code problem;
  const fs::path whole = fs::absolute(path_from(value), problem);
  return problem ? std::string(value) : text_from(whole);
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
File opened(const std::string& path, std::string& problem) {
  File folder = File::working_folder().open_folder(path, Links::followed);
  if (!folder) problem = std::strerror(errno);
  return folder;
}

/// Why this user's kernels are not to be taken from there: they are run. Empty: they may be.
std::string distrust(const FileStatus& status) {
  constexpr std::uint64_t kAdministrator = 0;
  if (status.owner != user_of_process() && status.owner != kAdministrator) return "it belongs to another user";
  return status.writable_by_all ? "every user may write to it" : "";
}

/// The text of a regular file; nothing, and why, for anything else.
std::optional<std::string> text_of(const File& folder, const std::string& name, bool must_be_trusted,
                                   std::string& problem) {
  constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20;
  const File file = folder.open_to_read(name, Links::refused);
  if (!file) {
    problem = errno == ENOENT ? "there is none" : errno == ELOOP ? "it is a link" : std::strerror(errno);
    return {};
  }
  const FileStatus status = file.status();
  if (status.kind != FileKind::file || status.size_bytes > kMostBytes) {
    problem = "it is no regular file, or too large";
  }
  if (problem.empty() && must_be_trusted) problem = distrust(status);
  if (!problem.empty()) return {};
  std::string text(status.size_bytes, '\0');
  const std::int64_t got = file.read_at(0, text.data(), text.size());
  if (got == static_cast<std::int64_t>(text.size())) return text;
  problem = got < 0 ? std::strerror(errno) : "it became shorter";
  return {};
}

/// The error, as errno has it; 0 if all was written to a file that was not there.
int write_new(const File& folder, const std::string& name, std::string_view text) {
  File file = folder.make_file(name, Permissions::read);
  if (!file || !file.write_at(0, text.data(), text.size())) return errno;
  return file.close();
}

/// Whole under its name, or not at all. The error, EEXIST if there is something of that name.
int write_whole(const File& folder, const std::string& name, const std::string& text) {
  static std::atomic<unsigned> count{0};
  const std::string part = fmt::format(".{}.{}.{}.part", name, number_of_process(), count++);
  int error = write_new(folder, part, text);
  if (error == EEXIST) return EBUSY;
  if (error == 0 && !folder.link(part, name)) error = errno;
  folder.remove(part, FileKind::file);
  const bool has_no_links = error == EPERM || error == EOPNOTSUPP || error == EMLINK;
  return has_no_links ? write_new(folder, name, text) : error;
}

/// Whether the folder now holds the text under that name.
bool dump(const std::string& path, const std::string& name, const std::string& text) {
  std::string problem;
  File::working_folder().make_folder(path, Permissions::read);
  const File folder = opened(path, problem);
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
  if (const File folder = opened(path, problem)) {
    problem = distrust(folder.status());
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

}  // namespace convoy::inline v0
