#include "common/disk_cache.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>

#include "common/fork.hpp"
#include "common/log.hpp"

namespace convoy {
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
  if (const char* own = std::getenv("CONVOY_CACHE_DIR"); own != nullptr && *own != '\0') {
    if (std::string_view(own) == "off") return {};
    return fs::path(own);
  }
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
  if (mkdir(folder->c_str(), 0700) != 0 && errno != EEXIST) {
    log("plan", "cache: {} cannot be made: nothing is kept", folder->string());
    return {};
  }
  struct stat status {};
  if (lstat(folder->c_str(), &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != geteuid() ||
      (status.st_mode & 0077) != 0) {
    log("plan", "cache: {} is ignored: it must be a folder of this user, closed to others (chmod 700)",
        folder->string());
    return {};
  }
  return folder;
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
    std::ifstream file(*path, std::ios::binary);
    if (!file) return {};
    std::ostringstream text;
    text << file.rdbuf();
    std::optional<std::string> value = from_file(magic_, text.str(), key);
    if (!value) log("plan", "cache: {} is damaged or another key's: it is found out anew", path->string());
    if (value) remember(key, *value);
    return value;
  }

  void store(const std::string& key, const std::string& value) override {
    const std::lock_guard lock(mutex_);
    remember(key, value);
    const auto path = file_of(key);
    if (!path) return;
    const fs::path temporary = path->string() + fmt::format(".{}.part", getpid());
    {
      std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
      file << to_file(magic_, key, value);
      if (!file.flush()) log("plan", "cache: {} cannot be written", temporary.string());
      if (!file) {
        std::error_code ignored;
        fs::remove(temporary, ignored);
        return;
      }
    }
    std::error_code problem;
    fs::rename(temporary, *path, problem);
    if (problem) fs::remove(temporary, problem);
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

}  // namespace convoy
