#include "cli/process_memory.hpp"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#if !defined(_WIN32)
#include <pthread.h>
#include <sys/resource.h>
#endif

#include <algorithm>
#include <fstream>
#include <string>

#include "convoy/error.hpp"
#include "convoy/plan.hpp"
#if defined(_WIN32)

#include "base/windows.hpp"
#endif

namespace convoy::cli {
namespace {

#if defined(_WIN32)

PROCESS_MEMORY_COUNTERS counters() {
  PROCESS_MEMORY_COUNTERS used{};
  ::GetProcessMemoryInfo(::GetCurrentProcess(), &used, sizeof used);
  return used;
}

#else

std::uint64_t status_bytes(const std::string& wanted) {
  std::ifstream file("/proc/self/status");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with(wanted)) return std::stoull(line.substr(wanted.size())) * 1024;
  }
  return 0;
}

#endif

}  // namespace

#if defined(_WIN32)
std::uint64_t peak_host_bytes() { return counters().PeakWorkingSetSize; }
std::uint64_t resident_host_bytes() { return counters().WorkingSetSize; }
#else
std::uint64_t peak_host_bytes() { return status_bytes("VmHWM:"); }
std::uint64_t resident_host_bytes() { return status_bytes("VmRSS:"); }
#endif

void share_arenas() {
#if defined(__GLIBC__)
  ::mallopt(M_ARENA_MAX, 2);
#endif
}

#if defined(_WIN32)
void ensure_stacks() {}  // the program's header says how large they are
#else
void ensure_stacks() {
  constexpr rlim_t kLeast = 256 << 10;
  constexpr rlim_t kEnough = 1 << 20;
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= kEnough) return;
  limit.rlim_cur = std::min(limit.rlim_max, kEnough);
  if (limit.rlim_cur < kLeast || ::setrlimit(RLIMIT_STACK, &limit) != 0) {
    throw Error(Errc::out_of_memory, "stacks of this process may not be larger than " + bytes_to_text(limit.rlim_cur) +
                                         "; " + bytes_to_text(kLeast) + " are needed: raise the limit (ulimit -s)");
  }
  pthread_attr_t attributes;
  if (::pthread_attr_init(&attributes) != 0) return;
  ::pthread_attr_setstacksize(&attributes, limit.rlim_cur);
#if defined(__GLIBC__)
  ::pthread_setattr_default_np(&attributes);
#endif
  ::pthread_attr_destroy(&attributes);
}
#endif

void return_freed_memory() {
#if defined(__GLIBC__)
  constexpr int kLargeBytes = 256 << 10;
  ::mallopt(M_MMAP_THRESHOLD, kLargeBytes);
  ::mallopt(M_TRIM_THRESHOLD, kLargeBytes);
  ::malloc_trim(0);
#endif
}

}  // namespace convoy::cli
