// What fork() does to a process with threads: the child has its memory, but of its threads only the one that forked.
#pragma once

#include <cstdint>
#include <mutex>

namespace convoy::inline v0 {

/// Differs between a process and its forked children, so that what belongs to threads and drivers of the parent is
/// known as that. Safe to call from any thread.
std::uint64_t fork_generation();

/// Deletes what was made in this process. What a forked child has from its parent is left alone, unless it survives.
template <class T>
struct DeleteUnlessForked {
  bool survives_fork = false;
  std::uint64_t generation = fork_generation();

  void operator()(T* object) const {
    if (survives_fork || generation == fork_generation()) delete object;
  }
};

/// Mutexes of the whole process. A thread that holds several has taken them in this order.
enum class ProcessLock { worker_pools, fftw_planner, disk_cache, log };

/// fork() waits until no other thread holds any of them, so that what they guard is whole in the child.
std::mutex& process_mutex(ProcessLock lock);

}  // namespace convoy::inline v0
