#include "engine/background_jobs.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "base/fork.hpp"
#include "base/log.hpp"
#include "base/worker_pool.hpp"
#include "convoy/error.hpp"
#include "device_model/common.hpp"

namespace convoy::inline v0 {

class BackgroundJobs::Threads {
 public:
  explicit Threads(int num_threads) {
    try {
      for (int i = 0; i < num_threads; ++i) threads_.emplace_back([this] { work(); });
    } catch (const std::exception& problem) {  // no thread, or no memory for one
      log("run", "{} of {} threads for files started: {}", threads_.size(), num_threads, problem.what());
    }
  }

  ~Threads() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  bool belong_here() const { return generation_of_process_ == fork_generation(); }

  void add(Group& group, std::vector<Job> jobs) {
    {
      const std::lock_guard lock(mutex_);
      group.unfinished += static_cast<int>(jobs.size());
      for (Job& job : jobs) waiting_.emplace_back(&group, std::move(job));
    }
    wake_.notify_all();
  }

  void wait(Group& group) {
    std::unique_lock lock(mutex_);
    while (threads_.empty() && group.unfinished > 0) do_next(lock);
    done_.wait(lock, [&] { return group.unfinished == 0; });
    if (group.failure) std::rethrow_exception(std::exchange(group.failure, nullptr));
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return stop_ || !waiting_.empty(); });
      if (stop_) return;
      do_next(lock);
    }
  }

  void do_next(std::unique_lock<std::mutex>& lock) {
    auto [group, job] = std::move(waiting_.front());
    waiting_.pop_front();
    std::exception_ptr failure;
    if (!group->failure) {
      lock.unlock();
      try {
        job();
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
    }
    if (failure && !group->failure) group->failure = failure;
    if (--group->unfinished == 0) done_.notify_all();
  }

  const std::uint64_t generation_of_process_ = fork_generation();
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  std::deque<std::pair<Group*, Job>> waiting_;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

BackgroundJobs::BackgroundJobs(int num_threads) : threads_(std::make_unique<Threads>(num_threads)) {}

/// The parent's threads are left alone in a forked child: destroying what they wait for would wait for them.
BackgroundJobs::~BackgroundJobs() {
  if (!threads_->belong_here()) static_cast<void>(threads_.release());
}

void BackgroundJobs::add(Group& group, std::vector<Job> jobs) {
  if (threads_->belong_here()) threads_->add(group, std::move(jobs));
}

void BackgroundJobs::wait(Group& group) {
  if (!threads_->belong_here()) {
    throw Error(Errc::unsupported, "the process forked in the middle of this run, which only the parent can end");
  }
  threads_->wait(group);
}

int num_disk_threads() { return std::clamp(default_num_threads(), 1, device_model::kMostDiskThreads); }

}  // namespace convoy::inline v0
