// What the options of one run change of those that a convolver or deconvolver was made with.
#pragma once

#include <utility>

#include "base/stop_scope.hpp"

namespace convoy::inline v0 {

/// While it lives, the run's progress function stands in for the options' own, and both stop tokens are heeded.
template <class Options, class RunOptionsType>
class UseRunOptions {
 public:
  UseRunOptions(Options& options, const RunOptionsType& run)
      : options_(options), progress_(options.progress), always_(options.stop), now_(run.stop) {
    if (run.progress) options.progress = run.progress;
  }
  ~UseRunOptions() { options_.progress.swap(progress_); }
  UseRunOptions(const UseRunOptions&) = delete;
  UseRunOptions& operator=(const UseRunOptions&) = delete;

 private:
  Options& options_;
  decltype(Options::progress) progress_;
  StopScope always_;
  StopScope now_;
};

}  // namespace convoy::inline v0
