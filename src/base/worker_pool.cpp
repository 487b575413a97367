#include "base/worker_pool.hpp"

#include <algorithm>
#include <bit>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/fork.hpp"
#include "base/log.hpp"
#include "base/settings.hpp"
#include "base/stop_scope.hpp"
#include "base/work_meter.hpp"
#if defined(_WIN32)
#include "base/windows.hpp"
#elif defined(__linux__)
#include <sched.h>
#endif

namespace convoy::inline v0 {

struct WorkerPool::Loop {
  std::int64_t count;
  std::int64_t grain;
  const std::function<void(int, std::int64_t, std::int64_t)>& body;
  std::atomic<std::int64_t> next{0};
  const StopScope* stop = StopScope::current();
  std::mutex mutex{};
  std::exception_ptr failure{};
};

namespace {

/// 0 where the system does not say.
int num_processors_of_process() {
#if defined(_WIN32)
  DWORD_PTR of_process = 0, of_system = 0;
  if (::GetProcessAffinityMask(::GetCurrentProcess(), &of_process, &of_system) == 0) return 0;
  return std::popcount(static_cast<std::uint64_t>(of_process));  // 0 for a process in several groups of processors
#elif defined(__linux__)
  cpu_set_t allowed;
  return sched_getaffinity(0, sizeof(allowed), &allowed) == 0 ? CPU_COUNT(&allowed) : 0;
#else
  return 0;
#endif
}

}  // namespace

int default_num_threads() {
  for (const char* variable : {"CONVOY_THREADS", "SLURM_CPUS_PER_TASK", "OMP_NUM_THREADS"}) {
    const char* text = setting(variable);
    const int wanted = text != nullptr ? std::atoi(text) : 0;
    if (wanted > 0) return std::min(wanted, 1024);
  }
  if (const int allowed = num_processors_of_process(); allowed > 0) return allowed;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// The threads of one process, and the loop that they share.
class WorkerPool::Threads {
 public:
  Threads() {
    if (is_of_child()) list();
  }

  ~Threads() {
    if (is_of_child()) unlist();
    end();
  }

  bool belong_here() const { return generation_of_process_ == fork_generation(); }

  /// What a forked child has of its parent's is never deleted: it is kept where leak checkers see that.
  static void leave_alone(Threads* of_parent) {
    const std::lock_guard lock(process_mutex(ProcessLock::worker_pools));
    static auto& left = *new std::vector<Threads*>;
    left.push_back(of_parent);
  }

  /// One loop at a time.
  void share(Loop& loop, int num_threads) {
    const std::lock_guard turn(turn_);
    if (num_threads > 1) start(num_threads);
    if (num_threads <= 1 || threads_.empty()) return run(loop, 0);
    {
      const std::lock_guard lock(mutex_);
      loop_ = &loop;
      busy_ = threads_.size();
      ++generation_;
    }
    wake_.notify_all();
    run(loop, 0);
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return busy_ == 0; });
  }

 private:
  bool is_of_child() const { return generation_of_process_ > 0; }

  /// Loops are the caller's alone from now on.
  void end() {
    const std::lock_guard turn(turn_);
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  /// What a driver of the parent has left to do at exit may wait for threads that it had there, by identifiers that the
  /// system has given to threads of this child meanwhile: they must have ended by then.
  static void end_all_at_exit() {
    const std::lock_guard lock(process_mutex(ProcessLock::worker_pools));
    for (Threads* const one : listed()) {
      if (one->belong_here()) one->end();
    }
  }

  void list() {
    const std::lock_guard lock(process_mutex(ProcessLock::worker_pools));
    static std::uint64_t generation_of_handler = 0;
    if (std::exchange(generation_of_handler, fork_generation()) != fork_generation()) std::atexit(end_all_at_exit);
    listed().push_back(this);
  }

  void unlist() {
    const std::lock_guard lock(process_mutex(ProcessLock::worker_pools));
    std::erase(listed(), this);
  }

  static std::vector<Threads*>& listed() {
    static auto& threads = *new std::vector<Threads*>;  // outlives all that happens at exit
    return threads;
  }

  void start(int num_threads) {
    if (std::exchange(started_, true)) return;
    try {
      for (int worker = 1; worker < num_threads; ++worker) {
        threads_.emplace_back([this, worker] { work(worker); });
      }
    } catch (const std::exception& problem) {  // no thread, or no memory for one
      log("run", "{} of {} threads started: {}", threads_.size() + 1, num_threads, problem.what());
    }
  }

  void work(int worker) {
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

  const std::uint64_t generation_of_process_ = fork_generation();
  std::mutex turn_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  Loop* loop_ = nullptr;
  std::uint64_t generation_ = 0;  // of loops
  std::size_t busy_ = 0;
  bool started_ = false;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

#if defined(_WIN32)
/// Windows destroys the statics of a library when the process ends or the library goes, under a lock that ending
/// threads take, too, so joining them would wait for ever.
constexpr bool kStaticPoolsLast = true;
#else
constexpr bool kStaticPoolsLast = false;
#endif

/// The parent's threads are left alone in a forked child: destroying what they wait for would wait for them.
WorkerPool::~WorkerPool() {
  Threads* const threads = threads_.load();
  if (threads == nullptr) return;
  if (threads->belong_here()) {
    delete threads;
  } else {
    Threads::leave_alone(threads);
  }
}

WorkerPool::Threads& WorkerPool::threads() {
  Threads* now = threads_.load();
  while (now == nullptr || !now->belong_here()) {
    auto own = std::make_unique<Threads>();
    if (threads_.compare_exchange_strong(now, own.get())) {
      if (now != nullptr) Threads::leave_alone(now);
      return *own.release();
    }
  }
  return *now;
}

void WorkerPool::run(Loop& loop, int worker) {
  const UnderStopScope under(loop.stop);
  try {
    for (;;) {
      const std::int64_t begin = loop.next.fetch_add(loop.grain);
      if (begin >= loop.count) return;
      throw_if_stopped();
      loop.body(worker, begin, std::min(begin + loop.grain, loop.count));
      if (worker == 0) note_work_done(static_cast<double>(begin) / static_cast<double>(loop.count));
    }
  } catch (...) {
    const std::lock_guard lock(loop.mutex);
    if (!loop.failure) loop.failure = std::current_exception();
    loop.next = loop.count;
  }
}

void WorkerPool::for_each(std::int64_t count, std::int64_t grain,
                          const std::function<void(int, std::int64_t, std::int64_t)>& body) {
  if (count <= 0) return;
  if (alone_) {
    throw_if_stopped();
    return body(alone_->worker, 0, count);
  }
  Loop loop{.count = count, .grain = std::max<std::int64_t>(1, grain), .body = body};
  threads().share(loop, count <= loop.grain ? 1 : num_threads_);
  if (loop.failure) std::rethrow_exception(loop.failure);
}

namespace {
thread_local WorkerPool* workers_of_thread = nullptr;
}

WorkerPool& host_workers() {
  if (workers_of_thread != nullptr) return *workers_of_thread;
  // Sessions keep theirs, so that a pool lasts; there are as many as numbers of threads that were asked for.
  static std::atomic<WorkerPool*> pool{nullptr};
  static std::atomic<std::uint64_t> version_of_pool{0};
  const std::uint64_t version = settings_version();
  if (version_of_pool != version) {
    static std::mutex mutex;
    static std::map<int, WorkerPool> ending;
    static auto& pools = kStaticPoolsLast ? *new std::map<int, WorkerPool> : ending;
    const std::lock_guard lock(mutex);
    pool = &pools.try_emplace(default_num_threads(), default_num_threads()).first->second;
    version_of_pool = version;
  }
  return *pool;
}

WorkerPool& workers_or_alone(WorkerPool& shared) {
  return workers_of_thread != nullptr && workers_of_thread->is_alone() ? *workers_of_thread : shared;
}

UseWorkers::UseWorkers(WorkerPool& pool) : before_(workers_of_thread) { workers_of_thread = &pool; }
UseWorkers::~UseWorkers() { workers_of_thread = before_; }

}  // namespace convoy::inline v0
