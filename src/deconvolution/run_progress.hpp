// Where a run of a Deconvolver stands: told to the caller on the caller's thread, and heeded by all who work for it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/stop_watch.hpp"
#include "convoy/deconvolution.hpp"

namespace convoy::inline v0 {

/// Of one Deconvolver, for its runs. The function that is told is the options' at that moment.
class RunProgress {
 public:
  explicit RunProgress(const DeconvolverOptions& options) : options_(options) {}

  /// On the caller's thread, which is then the only one that tells the caller.
  void begin(Index num_iterations);
  bool is_watched() const { return static_cast<bool>(options_.progress); }
  /// So many iterations more are done. Throws Error(cancelled) if the caller does not want to go on.
  void advance(Index iterations, double relative_change);
  /// So many will not be done, or need not be.
  void pass_over(Index iterations);
  /// Within long passes: whether to go on.
  bool keep_going();

  /// The caller's thread, while others work: tells what is news, until stop_telling().
  void tell_until_stopped();
  void stop_telling();
  /// All who work are to end.
  void cancel() { cancelled_ = true; }

 private:
  bool is_callers_thread() const { return std::this_thread::get_id() == caller_; }
  bool tell();
  DeconvolutionProgress now();

  const DeconvolverOptions& options_;
  std::mutex mutex_;
  std::condition_variable news_;
  std::thread::id caller_;
  Clock::time_point begin_ = Clock::now();
  DeconvolutionProgress progress_;
  bool has_news_ = false;
  bool told_all_ = false;
  std::atomic<bool> cancelled_{false};
};

}  // namespace convoy::inline v0
