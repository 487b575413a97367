#include "base/disk_cache.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <sstream>

#include "base/file.hpp"
#include "base/fork.hpp"
#include "base/log.hpp"
#include "base/path_text.hpp"
#include "base/settings.hpp"

namespace convoy::inline v0 {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostInMemory = 256;

/// FNV-1a, 64 bits: against damage, not against malice; the folder's permissions are for that.
std::uint64_t checksum(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return hash;
}

std::string to_file(std::string_view magic, const std::string& key, const std::string& value) {
  return fmt::format("{}{} {} {:016x}\n", magic, key.size(), value.size(), checksum(key + value)) + key + value;
}

/// The value, if the file's text is whole and its key is this one.
std::optional<std::string> from_file(std::string_view magic, const std::string& text, const std::string& key) {
  if (!text.starts_with(magic)) return {};
  const std::size_t end = text.find('\n', magic.size());
  if (end == std::string::npos) return {};
  std::istringstream header(text.substr(magic.size(), end - magic.size()));
  std::uint64_t key_bytes = 0, value_bytes = 0, sum = 0;
  if (!(header >> key_bytes >> value_bytes >> std::hex >> sum)) return {};
  const std::string_view body = std::string_view(text).substr(end + 1);
  if (key_bytes != key.size() || body.size() < key_bytes || value_bytes != body.size() - key_bytes) return {};
  if (body.substr(0, key.size()) != key || checksum(body) != sum) return {};
  return std::string(body.substr(key.size()));
}

std::optional<fs::path> wanted_folder() {
  if (const char* own = setting("CONVOY_CACHE_DIR")) {
    if (std::string_view(own) == "off") return {};
    return path_from(own);
  }
#if defined(_WIN32)
  if (const char* local = setting("LOCALAPPDATA")) return path_from(local) / "convoy";
#endif
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/')
    return fs::path(cache) / "convoy";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
    return fs::path(home) / ".cache" / "convoy";
  return {};
}

/// The folder, made if need be; nothing if it is not safe to execute what lies in it.
std::optional<fs::path> safe_folder() {
  const std::optional<fs::path> folder = wanted_folder();
  if (!folder) return {};
  std::error_code problem;
  fs::create_directories(folder->parent_path(), problem);
  const File& here = File::working_folder();
  if (!here.make_folder(text_from(*folder), Permissions::none) && errno != EEXIST) {
    log("plan", "cache: {} cannot be made: nothing is kept", text_from(*folder));
    return {};
  }
  const auto status = here.status_of(text_from(*folder), Links::refused);
  if (!status || status->kind != FileKind::folder || status->owner != user_of_process() || !status->closed_to_others) {
    log("plan", "cache: {} is ignored: it must be a folder of this user, closed to others (chmod 700)",
        text_from(*folder));
    return {};
  }
  return folder;
}

/// The text of a cache file. Nothing for a link, a pipe, a socket or a device, which are neither followed nor waited
/// for, and for a file too large to be an entry.
std::optional<std::string> read_entry(const fs::path& path) {
  constexpr std::uint64_t kMostBytes = std::uint64_t{256} << 20;
  const File file = File::working_folder().open_to_read(text_from(path), Links::refused);
  if (!file) return {};
  const FileStatus status = file.status();
  if (status.kind != FileKind::file || status.size_bytes > kMostBytes) {
    log("plan", "cache: {} is ignored: it is no regular file, or too large", text_from(path));
    return {};
  }
  std::string text(status.size_bytes, '\0');
  const std::int64_t got = file.read_at(0, text.data(), text.size());
  return got == static_cast<std::int64_t>(text.size()) ? std::optional(std::move(text)) : std::nullopt;
}

/// Whether all of it was written, to a file that was not there.
bool write_new(const fs::path& path, std::string_view text) {
  File file = File::working_folder().make_file(text_from(path), Permissions::none);
  return file && file.write_at(0, text.data(), text.size()) && file.close() == 0;
}

class FolderCache final : public DiskCache {
 public:
  /// `kind` is "plan" or "wisdom": the files' first line and the end of their names.
  explicit FolderCache(std::string kind) : kind_(std::move(kind)), magic_(fmt::format("convoy {} 1\n", kind_)) {}

  std::optional<std::string> find(const std::string& key) override {
    const std::lock_guard lock(mutex_);
    if (const auto known = in_memory_.find(key); known != in_memory_.end()) return known->second;
    const auto path = file_of(key);
    if (!path) return {};
    const std::optional<std::string> text = read_entry(*path);
    if (!text) return {};
    std::optional<std::string> value = from_file(magic_, *text, key);
    if (!value) log("plan", "cache: {} is damaged or another key's: it is found out anew", path->string());
    if (value) remember(key, *value);
    return value;
  }

  void store(const std::string& key, const std::string& value) override {
    const std::lock_guard lock(mutex_);
    remember(key, value);
    const auto path = file_of(key);
    if (!path) return;
    fs::path temporary = *path;
    temporary += fmt::format(".{}.part", number_of_process());
    std::error_code problem;
    fs::remove(temporary, problem);  // of a process that was killed and had our number
    const bool written = write_new(temporary, to_file(magic_, key, value));
    if (!written) log("plan", "cache: {} cannot be written", text_from(temporary));
    if (written) fs::rename(temporary, *path, problem);
    if (!written || problem) fs::remove(temporary, problem);
  }

  void forget(const std::string& key) override {
    const std::lock_guard lock(mutex_);
    in_memory_.erase(key);
    std::error_code ignored;
    if (const auto path = file_of(key)) fs::remove(*path, ignored);
  }

 private:
  void remember(const std::string& key, const std::string& value) {
    if (in_memory_.size() >= kMostInMemory) in_memory_.clear();
    in_memory_[key] = value;
  }

  std::optional<fs::path> file_of(const std::string& key) const {
    const auto folder = safe_folder();
    if (!folder) return {};
    return *folder / fmt::format("{:016x}{:016x}.{}", checksum(key), checksum(key + "\n"), kind_);
  }

  const std::string kind_;
  const std::string magic_;
  std::mutex& mutex_ = process_mutex(ProcessLock::disk_cache);
  std::map<std::string, std::string> in_memory_;
};

}  // namespace

std::string device_identity(const DeviceInfo& device) {
  return fmt::format("{}\n{}\n{}\n{}\nshared memory {}", device.name, device.architecture, device.driver, device.uuid,
                     device.limits.shared_memory_bytes);
}

DiskCache& plan_cache() {
  static FolderCache cache("plan");
  return cache;
}

DiskCache& wisdom() {
  static FolderCache cache("wisdom");
  return cache;
}

std::unique_ptr<DiskCache> make_plan_cache() { return std::make_unique<FolderCache>("plan"); }

std::unique_ptr<DiskCache> make_wisdom() { return std::make_unique<FolderCache>("wisdom"); }

}  // namespace convoy::inline v0
