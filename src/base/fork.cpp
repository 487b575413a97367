#include "base/fork.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace convoy::inline v0 {
namespace {

constexpr std::size_t kNumLocks = 4;

std::atomic<std::uint64_t> generation{0};
std::array<std::mutex, kNumLocks> mutexes;

#if !defined(_WIN32)  // where no process is forked

void before_fork() {
  for (std::mutex& mutex : mutexes) mutex.lock();
}

void after_fork() {
  for (std::size_t i = kNumLocks; i > 0; --i) mutexes[i - 1].unlock();
}

void after_fork_in_child() {
  generation.fetch_add(1);
  after_fork();
}

[[maybe_unused]] const int registered = ::pthread_atfork(before_fork, after_fork, after_fork_in_child);

#endif

}  // namespace

std::uint64_t fork_generation() { return generation.load(std::memory_order_relaxed); }

std::mutex& process_mutex(ProcessLock lock) { return mutexes.at(static_cast<std::size_t>(lock)); }

}  // namespace convoy::inline v0
