// Threads that wait for disks, so that those that compute do not.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <vector>

namespace convoy::inline v0 {

class BackgroundJobs {
 public:
  using Job = std::function<void()>;
  /// Jobs that are waited for together.
  struct Group {
    int unfinished = 0;
    std::exception_ptr failure;
  };

  /// Where the system grants no thread, wait() does the jobs.
  explicit BackgroundJobs(int num_threads);
  /// Jobs that run are waited for; the others are dropped.
  ~BackgroundJobs();
  BackgroundJobs(const BackgroundJobs&) = delete;
  BackgroundJobs& operator=(const BackgroundJobs&) = delete;

  /// Jobs are begun in the order they are added. The group must live until it is done or this object has gone.
  void add(Group& group, std::vector<Job> jobs);
  /// Blocks until all jobs of the group are done; rethrows what the first that failed threw, once.
  /// Throws Error(unsupported) in a forked child of the process that added them.
  void wait(Group& group);

 private:
  class Threads;
  std::unique_ptr<Threads> threads_;
};

/// As many as keep a disk busy.
int num_disk_threads();

}  // namespace convoy::inline v0
