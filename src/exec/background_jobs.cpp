#include "exec/background_jobs.hpp"

#include <algorithm>
#include <utility>

#include "common/worker_pool.hpp"

namespace convoy {

BackgroundJobs::BackgroundJobs(int num_threads) {
  for (int i = 0; i < num_threads; ++i) threads_.emplace_back([this] { work(); });
}

BackgroundJobs::~BackgroundJobs() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void BackgroundJobs::add(Group& group, std::vector<Job> jobs) {
  {
    const std::lock_guard lock(mutex_);
    group.unfinished += static_cast<int>(jobs.size());
    for (Job& job : jobs) waiting_.emplace_back(&group, std::move(job));
  }
  wake_.notify_all();
}

void BackgroundJobs::wait(Group& group) {
  std::unique_lock lock(mutex_);
  done_.wait(lock, [&] { return group.unfinished == 0; });
  if (group.failure) std::rethrow_exception(std::exchange(group.failure, nullptr));
}

void BackgroundJobs::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return stop_ || !waiting_.empty(); });
    if (stop_) return;
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
}

int num_disk_threads() { return std::clamp(default_num_threads(), 1, 4); }

}  // namespace convoy
