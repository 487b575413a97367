// Calls that may take long: without the GIL, one at a time on an object, and stopped by Python's signals.
#pragma once

#include <nanobind/nanobind.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace convoy::python {

namespace nb = nanobind;

/// How far the work is.
struct Standing {
  std::int64_t done = 0;
  std::int64_t total = 0;
  double seconds = 0;
  double fraction = 0;
};

/// What the work is given.
struct Watch {
  std::stop_token stop;
  /// Tells the caller's progress function, on the caller's thread, what is done of how much; false: stop.
  std::function<bool(const Standing&)> progress;
};

/// Threads that call one object take turns.
class Turns {
 public:
  /// Waits for the object, without the GIL. Throws nb::python_error for signals meanwhile, and Error for an object that
  /// this thread uses already (in its progress function), or that another thread was using when the process was forked.
  void begin();
  void end();

 private:
  std::timed_mutex mutex_;
  std::atomic<std::thread::id> holder_{};
  std::atomic<pid_t> process_{0};
};

/// Does `work` and returns when it is done. The GIL is held by the caller and released meanwhile. Long work goes to a
/// thread of its own, while this one looks for signals 20 times a second: what a signal handler raises (Ctrl-C's
/// KeyboardInterrupt) stops the work and is thrown here, as is what `progress` raises. `progress` (or None) is called
/// with (done, total, seconds, fraction) on this thread. Short work, which ends before a signal could matter, is done
/// here. `turns` may be null.
void watched(Turns* turns, const nb::object& progress, bool is_short, const std::function<void(const Watch&)>& work);

/// Does `work` without the GIL, for what is short and has no progress.
template <class Work>
auto without_gil(const Work& work) {
  const nb::gil_scoped_release release;
  return work();
}

}  // namespace convoy::python
