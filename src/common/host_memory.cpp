#include "common/host_memory.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

namespace convoy {
namespace {

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

std::uint64_t physical_bytes() {
  return static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::uint64_t available_bytes() {
  std::ifstream file("/proc/meminfo");
  std::string field;
  std::uint64_t kibibytes = 0;
  std::string rest;
  while (file >> field >> kibibytes && std::getline(file, rest)) {
    if (field == "MemAvailable:") return kibibytes * 1024;
  }
  return physical_bytes();
}

/// A control group that sets no limit says "max" or has no such file.
std::uint64_t number_in(const char* path) {
  std::ifstream file(path);
  std::uint64_t bytes = 0;
  return file >> bytes ? bytes : kNoLimit;
}

std::uint64_t control_group_limit_bytes() {
  return std::min(number_in("/sys/fs/cgroup/memory.max"), number_in("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
}

std::uint64_t control_group_bytes() {
  const std::uint64_t limit = control_group_limit_bytes();
  const std::uint64_t used =
      std::min(number_in("/sys/fs/cgroup/memory.current"), number_in("/sys/fs/cgroup/memory/memory.usage_in_bytes"));
  if (limit == kNoLimit || used == kNoLimit) return limit;
  return limit > used ? limit - used : 0;
}

}  // namespace

std::uint64_t available_host_bytes() { return std::min(available_bytes(), control_group_bytes()); }

std::uint64_t total_host_bytes() { return std::min(physical_bytes(), control_group_limit_bytes()); }

}  // namespace convoy
