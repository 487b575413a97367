// One line on the terminal, redrawn: percent, rate and remaining time.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "convoy/convolution.hpp"
#include "convoy/deconvolution.hpp"

namespace convoy::cli {

/// How much a command prints while it runs.
struct Verbosity {
  bool quiet = false;     ///< --quiet: warnings and errors only
  bool progress = false;  ///< --progress: also where stderr is no terminal

  void add_to(CLI::App& command);
};

/// What there is to do.
struct Workload {
  Index num_voxels = 0;  ///< of all outputs
  Index num_bytes = 0;   ///< read and written; 0: unknown
};

/// Shows what was last reported, and while nothing is (a run of a single tile) the time that has passed. Draws nothing
/// in the first half second. On a terminal the line is redrawn; elsewhere, if --progress asks for it, a line is written
/// every ten seconds, and one at the end.
class ProgressBar {
 public:
  ProgressBar(const Verbosity& verbosity, const Workload& workload);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void show(const Progress& progress);
  void show(const DeconvolutionProgress& progress);
  /// Takes the line away, so that other text can follow.
  void clear();

 private:
  void watch();  // on a thread of its own: draws when nothing else does
  bool is_due(double passed_seconds) const;
  void draw();
  double passed_seconds() const;

  const bool on_terminal_;
  const bool enabled_;
  const Workload workload_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();

  std::mutex mutex_;  // of all that follows
  std::condition_variable ended_;
  bool is_over_ = false;
  bool is_drawn_ = false;         // a line that clear() must take away
  double drawn_at_seconds_ = -1;  // below 0: never
  double done_ = 0;               // share of the work
  double drawn_done_ = 0;
  double left_seconds_ = -1;    // below 0: unknown
  double news_at_seconds_ = 0;  // when progress was last reported
  std::string rate_;
  std::optional<Index> skipped_tiles_;  // they take no time
  std::thread watcher_;
};

}  // namespace convoy::cli
