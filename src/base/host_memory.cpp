#include "base/host_memory.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "base/worker_pool.hpp"
#include "convoy/error.hpp"

namespace convoy {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

/// Lines of a name and a number, "MemTotal: 16384 kB" or "inactive_file 4096"; the colon is left out.
std::map<std::string, std::uint64_t> numbers_in(const fs::path& path) {
  std::map<std::string, std::uint64_t> numbers;
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string name;
    std::uint64_t number = 0;
    if (!(words >> name >> number)) continue;
    if (name.back() == ':') name.pop_back();
    numbers[name] = number;
  }
  return numbers;
}

/// Nothing where there is no such file or it says "max".
std::optional<std::uint64_t> number_in(const fs::path& path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  if (file >> number) return number;
  return std::nullopt;
}

/// What the files of one version are called.
struct GroupFiles {
  const char* type;  ///< of the file system
  std::vector<const char*> limits;
  const char* used;
  std::vector<const char*> cache;  ///< in memory.stat: pages of files, which are given up for others
};

const GroupFiles& files_of_version(int version) {
  static const GroupFiles first{
      "cgroup", {"memory.limit_in_bytes"}, "memory.usage_in_bytes", {"total_inactive_file", "total_active_file"}};
  static const GroupFiles second{
      "cgroup2", {"memory.max", "memory.high"}, "memory.current", {"inactive_file", "active_file"}};
  return version == 1 ? first : second;
}

/// Where a hierarchy of control groups is mounted, and which of its groups is seen there.
struct GroupMount {
  fs::path point;
  std::string group;
};

bool has_word(const std::string& list, const std::string& word) {
  return ("," + list + ",").find("," + word + ",") != std::string::npos;
}

/// From lines "36 35 98:0 /group /mount/point options - type source options".
std::optional<GroupMount> find_mount(const fs::path& root, int version) {
  std::ifstream file(root / "proc/self/mountinfo");
  std::string line;
  while (std::getline(file, line)) {
    const std::size_t end = line.find(" - ");
    if (end == std::string::npos) continue;
    std::istringstream before(line.substr(0, end));
    std::istringstream after(line.substr(end + 3));
    std::string number, parent, device, type, source, options;
    GroupMount mount;
    std::string point;
    before >> number >> parent >> device >> mount.group >> point;
    after >> type >> source >> options;
    if (type != files_of_version(version).type || (version == 1 && !has_word(options, "memory"))) continue;
    mount.point = root / fs::path(point).relative_path();
    return mount;
  }
  return std::nullopt;
}

/// From lines "7:cpu,memory:/group" (version 1) or "0::/group" (version 2).
std::optional<std::string> group_of_process(const fs::path& root, int version) {
  std::ifstream file(root / "proc/self/cgroup");
  std::string line;
  while (std::getline(file, line)) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (version == 1 ? has_word(controllers, "memory") : controllers.empty()) return line.substr(second + 1);
  }
  return std::nullopt;
}

/// The folder of the process' group below the mount; the mount's own where the group is not seen there, as in
/// containers that were not given names of their own.
fs::path folder_below(const GroupMount& mount, const std::string& group) {
  std::string below = group;
  const std::string seen = mount.group == "/" ? "" : mount.group;
  if (below.starts_with(seen)) below.erase(0, seen.size());
  fs::path folder = fs::path(below).relative_path().lexically_normal();
  if (folder.empty() || *folder.begin() == "..") return {};
  std::error_code problem;
  return fs::is_directory(mount.point / folder, problem) ? folder : fs::path();
}

void lower_to_group(const fs::path& folder, const GroupFiles& files, MemoryAllowance& allowance) {
  std::uint64_t limit = kNoLimit;
  for (const char* name : files.limits) limit = std::min(limit, number_in(folder / name).value_or(kNoLimit));
  if (limit >= std::uint64_t{1} << 60) return;  // version 1 has a number for "none"
  allowance.total = std::min(allowance.total, limit);
  std::uint64_t used = number_in(folder / files.used).value_or(0);
  const auto details = numbers_in(folder / "memory.stat");
  for (const char* name : files.cache) {
    const auto cached = details.find(name);
    if (cached != details.end()) used -= std::min(used, cached->second);
  }
  allowance.available = std::min(allowance.available, limit - std::min(limit, used));
}

void lower_to_groups(const fs::path& root, int version, MemoryAllowance& allowance) {
  const auto mount = find_mount(root, version);
  const auto group = group_of_process(root, version);
  if (!mount || !group) return;
  fs::path folder = folder_below(*mount, *group);
  for (;;) {
    lower_to_group(mount->point / folder, files_of_version(version), allowance);
    if (folder.empty()) return;
    folder = folder.parent_path();
  }
}

std::uint64_t limit_of_process(__rlimit_resource resource) {
  struct rlimit limit {};
  if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kNoLimit;
  return limit.rlim_cur;
}

/// Beside what is used, room for the stacks of threads that will start, in address space as in data: up to three
/// quarters of what is left, as fewer threads will do.
std::uint64_t left_of(std::uint64_t limit, std::uint64_t used) {
  if (limit == kNoLimit) return kNoLimit;
  constexpr std::uint64_t kThreadsForFiles = 8;
  constexpr std::uint64_t kUsualStack = std::uint64_t{8} << 20;
  const std::uint64_t left = limit - std::min(limit, used);
  const std::uint64_t threads = 2 * static_cast<std::uint64_t>(default_num_threads()) + kThreadsForFiles;
  const std::uint64_t stacks = threads * std::min(limit_of_process(RLIMIT_STACK), kUsualStack);
  return left - std::min(left / 4 * 3, stacks);
}

}  // namespace

MemoryAllowance memory_allowance(const fs::path& root) {
  constexpr std::uint64_t kKibi = 1024;
  auto machine = numbers_in(root / "proc/meminfo");
  MemoryAllowance allowance;
  allowance.total = machine.contains("MemTotal") ? machine["MemTotal"] * kKibi : kNoLimit;
  allowance.available = machine.contains("MemAvailable") ? machine["MemAvailable"] * kKibi : allowance.total;
  for (const int version : {1, 2}) lower_to_groups(root, version, allowance);
  return allowance;
}

std::uint64_t available_host_bytes() {
  constexpr std::uint64_t kKibi = 1024;
  auto process = numbers_in("/proc/self/status");
  return std::min({memory_allowance("/").available, left_of(limit_of_process(RLIMIT_AS), process["VmSize"] * kKibi),
                   left_of(limit_of_process(RLIMIT_DATA), process["VmData"] * kKibi)});
}

std::uint64_t total_host_bytes() {
  const auto pages = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES));
  const std::uint64_t physical = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return std::min({physical, memory_allowance("/").total, limit_of_process(RLIMIT_AS), limit_of_process(RLIMIT_DATA)});
}

std::shared_ptr<std::byte> allocate_host(std::uint64_t bytes) {
  constexpr std::size_t kPageBytes = 4096;
  void* memory = nullptr;
  if (::posix_memalign(&memory, kPageBytes, static_cast<std::size_t>(bytes)) != 0) {
    throw OutOfMemory(fmt::format("the machine has no {} bytes for a buffer", bytes), bytes, 0,
                      "memory of this process");
  }
  return {static_cast<std::byte*>(memory), [](std::byte* given) { std::free(given); }};
}

}  // namespace convoy
