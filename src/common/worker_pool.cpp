#include "common/worker_pool.hpp"

#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <exception>

namespace convoy {

struct WorkerPool::Loop {
  std::int64_t count;
  std::int64_t grain;
  const std::function<void(int, std::int64_t, std::int64_t)>& body;
  std::atomic<std::int64_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
};

int default_num_threads() {
  for (const char* variable : {"CONVOY_THREADS", "SLURM_CPUS_PER_TASK", "OMP_NUM_THREADS"}) {
    const char* text = std::getenv(variable);
    const int wanted = text != nullptr ? std::atoi(text) : 0;
    if (wanted > 0) return std::min(wanted, 1024);
  }
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0) return std::max(1, CPU_COUNT(&allowed));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

WorkerPool::WorkerPool(int num_threads) {
  for (int worker = 1; worker < num_threads; ++worker) {
    threads_.emplace_back([this, worker] { work(worker); });
  }
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkerPool::run(Loop& loop, int worker) {
  try {
    for (;;) {
      const std::int64_t begin = loop.next.fetch_add(loop.grain);
      if (begin >= loop.count) return;
      loop.body(worker, begin, std::min(begin + loop.grain, loop.count));
    }
  } catch (...) {
    const std::lock_guard lock(loop.mutex);
    if (!loop.failure) loop.failure = std::current_exception();
    loop.next = loop.count;
  }
}

void WorkerPool::work(int worker) {
  std::uint64_t seen = 0;
  for (;;) {
    Loop* loop = nullptr;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stop_ || generation_ != seen; });
      if (stop_) return;
      seen = generation_;
      loop = loop_;
    }
    run(*loop, worker);
    {
      const std::lock_guard lock(mutex_);
      if (--busy_ == 0) done_.notify_one();
    }
  }
}

void WorkerPool::for_each(std::int64_t count, std::int64_t grain,
                          const std::function<void(int, std::int64_t, std::int64_t)>& body) {
  if (count <= 0) return;
  const std::lock_guard turn(turn_);
  Loop loop{count, std::max<std::int64_t>(1, grain), body, {}, {}, {}};
  if (threads_.empty() || count <= loop.grain) {
    run(loop, 0);
  } else {
    {
      const std::lock_guard lock(mutex_);
      loop_ = &loop;
      busy_ = static_cast<int>(threads_.size());
      ++generation_;
    }
    wake_.notify_all();
    run(loop, 0);
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return busy_ == 0; });
  }
  if (loop.failure) std::rethrow_exception(loop.failure);
}

namespace {
thread_local WorkerPool* workers_of_thread = nullptr;
}

WorkerPool& host_workers() {
  if (workers_of_thread != nullptr) return *workers_of_thread;
  static WorkerPool pool(default_num_threads());
  return pool;
}

UseWorkers::UseWorkers(WorkerPool& pool) : before_(workers_of_thread) { workers_of_thread = &pool; }
UseWorkers::~UseWorkers() { workers_of_thread = before_; }

}  // namespace convoy
