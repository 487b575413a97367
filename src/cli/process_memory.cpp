#include "cli/process_memory.hpp"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "convoy/error.hpp"
#include "convoy/plan.hpp"

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

void return_freed_memory() {
#if defined(__GLIBC__)
  constexpr int kLargeBytes = 256 << 10;
  ::mallopt(M_MMAP_THRESHOLD, kLargeBytes);
  ::mallopt(M_TRIM_THRESHOLD, kLargeBytes);
  ::malloc_trim(0);
#endif
}

}  // namespace convoy::cli
