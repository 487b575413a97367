#include "deconvolution/run_progress.hpp"

#include <fmt/format.h>

#include <limits>

#include "convoy/error.hpp"

namespace convoy::inline v0 {

void RunProgress::begin(Index num_iterations) {
  const std::lock_guard lock(mutex_);
  caller_ = std::this_thread::get_id();
  begin_ = Clock::now();
  progress_ = {0, num_iterations, std::numeric_limits<double>::quiet_NaN(), 0};
  has_news_ = told_all_ = false;
  cancelled_ = false;
}

void RunProgress::advance(Index iterations, double relative_change) {
  {
    const std::lock_guard lock(mutex_);
    progress_.iterations_done += iterations;
    progress_.relative_change = relative_change;
    has_news_ = true;
  }
  news_.notify_all();
  if (is_callers_thread()) tell();
  if (!cancelled_) return;
  const DeconvolutionProgress progress = now();
  throw Error(Errc::cancelled,
              fmt::format("stopped after iteration {} of {}", progress.iterations_done, progress.num_iterations));
}

void RunProgress::pass_over(Index iterations) {
  const std::lock_guard lock(mutex_);
  progress_.iterations_done += iterations;
}

bool RunProgress::keep_going() { return is_callers_thread() ? tell() : !cancelled_; }

/// A run whose last iteration is done is not cancelled any more.
bool RunProgress::tell() {
  const DeconvolutionProgress progress = now();
  const bool go_on = !options_.progress || options_.progress(progress);
  if (!go_on && progress.iterations_done < progress.num_iterations) cancelled_ = true;
  return go_on;
}

DeconvolutionProgress RunProgress::now() {
  const std::lock_guard lock(mutex_);
  progress_.elapsed_seconds = seconds_since(begin_);
  return progress_;
}

void RunProgress::tell_until_stopped() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      news_.wait(lock, [this] { return has_news_ || told_all_; });
      if (!has_news_) return;
      has_news_ = false;
    }
    tell();
  }
}

void RunProgress::stop_telling() {
  {
    const std::lock_guard lock(mutex_);
    told_all_ = true;
  }
  news_.notify_all();
}

}  // namespace convoy::inline v0
