#include "base/host_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/aligned_memory.hpp"
#include "base/file.hpp"
#include "base/of_thread.hpp"
#include "base/worker_pool.hpp"
#include "convoy/error.hpp"
#if defined(_WIN32)

#include "base/windows.hpp"
#else
#include <sys/resource.h>
#include <unistd.h>
#endif

namespace convoy::inline v0 {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kMeminfoUnit = 1024;  // of /proc/meminfo and /proc/self/status

/// Empty where there is no such file. Read by the system's own calls: every Convolver asks several times, and streams
/// take longer than planning does.
std::string text_of(const fs::path& path) {
  std::string text;
  const File file = File::working_folder().open_to_read(path.string(), Links::followed);
  if (!file) return text;
  constexpr std::size_t kStep = 4096;
  for (std::int64_t got = kStep; got == kStep;) {  // such a file says no size
    const std::size_t before = text.size();
    text.resize(before + kStep);
    got = file.read_at(before, text.data() + before, kStep);
    text.resize(before + static_cast<std::size_t>(std::max<std::int64_t>(0, got)));
  }
  return text;
}

/// Calls visit(line) for every line of a text.
template <class Visit>
void for_each_line(std::string_view text, const Visit& visit) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    visit(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::optional<std::uint64_t> first_number(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  std::uint64_t number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc()) return std::nullopt;
  return number;
}

/// Of lines of a name and a number, "MemTotal: 16384 kB" or "inactive_file 4096": that of the name, with its colon.
std::optional<std::uint64_t> number_of(std::string_view name, std::string_view text) {
  std::optional<std::uint64_t> number;
  for_each_line(text, [&](std::string_view line) {
    const bool named =
        line.starts_with(name) && line.size() > name.size() && (line[name.size()] == ' ' || line[name.size()] == '\t');
    if (named) number = first_number(line.substr(name.size()));
  });
  return number;
}

/// Nothing where there is no such file or it says "max".
std::optional<std::uint64_t> number_in(const fs::path& path) { return first_number(text_of(path)); }

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
  const std::string mounts = text_of(root / "proc/self/mountinfo");
  std::optional<GroupMount> found;
  for_each_line(mounts, [&](std::string_view line) {
    const std::size_t end = line.find(" - ");
    if (found || end == std::string_view::npos) return;
    std::istringstream before{std::string(line.substr(0, end))};
    std::istringstream after{std::string(line.substr(end + 3))};
    std::string number, parent, device, type, source, options;
    GroupMount mount;
    std::string point;
    before >> number >> parent >> device >> mount.group >> point;
    after >> type >> source >> options;
    if (type != files_of_version(version).type || (version == 1 && !has_word(options, "memory"))) return;
    mount.point = root / fs::path(point).relative_path();
    found = mount;
  });
  return found;
}

/// From lines "7:cpu,memory:/group" (version 1) or "0::/group" (version 2).
std::optional<std::string> group_of_process(const std::string& groups, int version) {
  std::optional<std::string> found;
  for_each_line(groups, [&](std::string_view line) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (found || second == std::string_view::npos) return;
    const std::string controllers(line.substr(first + 1, second - first - 1));
    if (version == 1 ? has_word(controllers, "memory") : controllers.empty()) found = line.substr(second + 1);
  });
  return found;
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
  const std::string details = text_of(folder / "memory.stat");
  for (const char* name : files.cache) used -= std::min(used, number_of(name, details).value_or(0));
  allowance.available = std::min(allowance.available, limit - std::min(limit, used));
}

/// A hierarchy of control groups, and where in it the process is.
struct GroupPlace {
  int version = 1;
  fs::path mount;
  fs::path folder;  ///< below the mount
};

std::vector<GroupPlace> places_of_groups(const fs::path& root, const std::string& groups) {
  std::vector<GroupPlace> places;
  for (const int version : {1, 2}) {
    const auto group = group_of_process(groups, version);
    if (!group) continue;
    if (const auto mount = find_mount(root, version)) {
      places.push_back({version, mount->point, folder_below(*mount, *group)});
    }
  }
  return places;
}

/// The list of mounts is long, and only looked at when the process is in other groups than before.
const std::vector<GroupPlace>& known_places(const fs::path& root, const std::string& groups) {
  struct Known {
    fs::path root;
    std::string groups;
    std::vector<GroupPlace> places;
  };
  Known& known = of_thread<Known>();
  if (known.root != root || known.groups != groups) known = {root, groups, places_of_groups(root, groups)};
  return known.places;
}

void lower_to_groups(const GroupPlace& place, MemoryAllowance& allowance) {
  fs::path folder = place.folder;
  for (;;) {
    lower_to_group(place.mount / folder, files_of_version(place.version), allowance);
    if (folder.empty()) return;
    folder = folder.parent_path();
  }
}

#if !defined(_WIN32)

std::uint64_t limit_of_process(decltype(RLIMIT_AS) resource) {
  struct rlimit limit {};
  if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kNoLimit;
  return limit.rlim_cur;
}

/// Beside what is used, room for the stacks of threads that will start, in address space as in data: up to three
/// quarters of what is left, as fewer threads will do.
std::uint64_t left_of(std::uint64_t limit, std::uint64_t used) {
  constexpr std::uint64_t kThreadsForFiles = 8;
  constexpr std::uint64_t kUsualStack = std::uint64_t{8} << 20;
  const std::uint64_t left = limit - std::min(limit, used);
  const std::uint64_t threads = 2 * static_cast<std::uint64_t>(default_num_threads()) + kThreadsForFiles;
  const std::uint64_t stacks = threads * std::min(limit_of_process(RLIMIT_STACK), kUsualStack);
  return left - std::min(left / 4 * 3, stacks);
}

#endif

}  // namespace

MemoryAllowance memory_allowance(const fs::path& root) {
  const std::string machine = text_of(root / "proc/meminfo");
  const auto bytes_of = [&](const char* name) -> std::optional<std::uint64_t> {
    const auto kibi = number_of(name, machine);
    return kibi ? std::optional(*kibi * kMeminfoUnit) : std::nullopt;
  };
  MemoryAllowance allowance;
  allowance.total = bytes_of("MemTotal:").value_or(kNoLimit);
  allowance.available = bytes_of("MemAvailable:").value_or(allowance.total);
  for (const GroupPlace& place : known_places(root, text_of(root / "proc/self/cgroup"))) {
    lower_to_groups(place, allowance);
  }
  return allowance;
}

#if defined(_WIN32)

/// Memory and page file, less what a job object (a container's, a batch system's) grants the process.
MemoryAllowance allowance_of_process() {
  MEMORYSTATUSEX machine{};
  machine.dwLength = sizeof machine;
  ::GlobalMemoryStatusEx(&machine);
  MemoryAllowance allowance{machine.ullTotalPhys, std::min(machine.ullAvailPhys, machine.ullAvailPageFile)};
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION job{};
  PROCESS_MEMORY_COUNTERS used{};
  if (::QueryInformationJobObject(nullptr, JobObjectExtendedLimitInformation, &job, sizeof job, nullptr) == 0 ||
      ::GetProcessMemoryInfo(::GetCurrentProcess(), &used, sizeof used) == 0) {
    return allowance;
  }
  std::uint64_t limit = kNoLimit;
  const DWORD flags = job.BasicLimitInformation.LimitFlags;
  if ((flags & JOB_OBJECT_LIMIT_PROCESS_MEMORY) != 0) limit = job.ProcessMemoryLimit;
  if ((flags & JOB_OBJECT_LIMIT_JOB_MEMORY) != 0) limit = std::min<std::uint64_t>(limit, job.JobMemoryLimit);
  allowance.total = std::min(allowance.total, limit);
  allowance.available = std::min(allowance.available, limit - std::min<std::uint64_t>(limit, used.PagefileUsage));
  return allowance;
}

#else

MemoryAllowance allowance_of_process() {
  MemoryAllowance allowance = memory_allowance("/");
  const auto pages = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES));
  allowance.total = std::min(allowance.total, pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
  std::string status;  // which is only asked where there is a limit
  for (const auto& [resource, used] : {std::pair(RLIMIT_AS, "VmSize:"), std::pair(RLIMIT_DATA, "VmData:")}) {
    const std::uint64_t limit = limit_of_process(resource);
    if (limit == kNoLimit) continue;
    if (status.empty()) status = text_of("/proc/self/status");
    allowance.total = std::min(allowance.total, limit);
    allowance.available =
        std::min(allowance.available, left_of(limit, number_of(used, status).value_or(0) * kMeminfoUnit));
  }
  return allowance;
}

#endif

std::uint64_t available_host_bytes() { return allowance_of_process().available; }
std::uint64_t total_host_bytes() { return allowance_of_process().total; }

std::shared_ptr<std::byte> allocate_host(std::uint64_t bytes) {
  constexpr std::size_t kPageBytes = 4096;
  void* const memory = bytes <= std::numeric_limits<std::size_t>::max()
                           ? allocate_aligned(kPageBytes, bytes == 0 ? kPageBytes : static_cast<std::size_t>(bytes))
                           : nullptr;
  if (memory == nullptr) {
    throw OutOfMemory(fmt::format("the machine has no {} bytes for a buffer", bytes), bytes, 0,
                      "memory of this process");
  }
  return {static_cast<std::byte*>(memory), [](std::byte* given) { free_aligned(given); }};
}

}  // namespace convoy::inline v0
