#include "cli/process_memory.hpp"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <fstream>
#include <string>

namespace convoy::cli {
namespace {

std::uint64_t status_bytes(const std::string& wanted) {
  std::ifstream file("/proc/self/status");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with(wanted)) return std::stoull(line.substr(wanted.size())) * 1024;
  }
  return 0;
}

}  // namespace

std::uint64_t peak_host_bytes() { return status_bytes("VmHWM:"); }
std::uint64_t resident_host_bytes() { return status_bytes("VmRSS:"); }

void share_arenas() {
#if defined(__GLIBC__)
  ::mallopt(M_ARENA_MAX, 2);
#endif
}

void return_freed_memory() {
#if defined(__GLIBC__)
  constexpr int kLargeBytes = 256 << 10;
  ::mallopt(M_MMAP_THRESHOLD, kLargeBytes);
  ::mallopt(M_TRIM_THRESHOLD, kLargeBytes);
  ::malloc_trim(0);
#endif
}

}  // namespace convoy::cli
