// Threads that share loops: host copies, and the CPU backend's arithmetic.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/private_export.hpp"

namespace convoy::inline v0 {

/// CONVOY_THREADS, else SLURM_CPUS_PER_TASK, else OMP_NUM_THREADS, else the processors this process may use.
CONVOY_PRIVATE int default_num_threads();

class CONVOY_PRIVATE WorkerPool {
 public:
  /// Threads start with the first loop that needs them; where the system grants fewer, loops run on those it grants.
  /// A forked child starts its own: those of the parent are not in it, and it does not wait for them.
  explicit WorkerPool(int num_threads) : num_threads_(num_threads) {}
  /// Of the calling thread alone, which goes by this number: that of a thread of a larger pool which it is one of.
  struct Alone {
    int worker = 0;
  };
  explicit WorkerPool(Alone alone) : num_threads_(1), alone_(alone) {}
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// The most that work at one time, the caller included.
  int num_threads() const { return num_threads_ < 1 ? 1 : num_threads_; }
  bool is_alone() const { return alone_.has_value(); }

  /// Calls body(worker, begin, end) until [0, count) is done, in pieces of `grain`, on all threads; the caller is
  /// worker 0, and the others are below num_threads(). Returns when all is done; rethrows the first exception. Heeds
  /// the caller's StopScope before each piece: throws Error(cancelled). Callers on several threads take turns.
  void for_each(std::int64_t count, std::int64_t grain,
                const std::function<void(int worker, std::int64_t begin, std::int64_t end)>& body);

 private:
  struct Loop;
  class Threads;
  static void run(Loop& loop, int worker);
  Threads& threads();

  int num_threads_;
  std::optional<Alone> alone_;
  std::atomic<Threads*> threads_{nullptr};
};

/// What the calling thread uses (UseWorkers), else the process' own pool of default_num_threads() threads.
CONVOY_PRIVATE WorkerPool& host_workers();

/// `shared`, unless the calling thread works alone (WorkerPool::Alone).
WorkerPool& workers_or_alone(WorkerPool& shared);

/// While it lives, the calling thread's host_workers() are these.
class UseWorkers {
 public:
  explicit UseWorkers(WorkerPool& pool);
  ~UseWorkers();
  UseWorkers(const UseWorkers&) = delete;
  UseWorkers& operator=(const UseWorkers&) = delete;

 private:
  WorkerPool* before_;
};

}  // namespace convoy::inline v0
