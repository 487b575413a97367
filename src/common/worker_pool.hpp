// Threads that share loops: host copies, and the CPU backend's arithmetic.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace convoy {

/// CONVOY_THREADS, else SLURM_CPUS_PER_TASK, else OMP_NUM_THREADS, else the processors this process may use.
int default_num_threads();

class WorkerPool {
 public:
  explicit WorkerPool(int num_threads);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  int num_threads() const { return static_cast<int>(threads_.size()) + 1; }

  /// Calls body(worker, begin, end) until [0, count) is done, in pieces of `grain`, on all threads; the caller is
  /// worker 0. Returns when all is done; rethrows the first exception. Callers on several threads take turns.
  void for_each(std::int64_t count, std::int64_t grain,
                const std::function<void(int worker, std::int64_t begin, std::int64_t end)>& body);

 private:
  struct Loop;
  void work(int worker);
  static void run(Loop& loop, int worker);

  std::mutex turn_;  // one loop at a time
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  Loop* loop_ = nullptr;
  std::uint64_t generation_ = 0;
  int busy_ = 0;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

/// What the calling thread uses (UseWorkers), else the process' own pool of default_num_threads() threads, made on
/// first use.
WorkerPool& host_workers();

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

}  // namespace convoy
