// One line on the terminal, redrawn: percent, rate and remaining time.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "convoy/convolution.hpp"
#include "convoy/deconvolution.hpp"

namespace convoy::cli {

/// How much a command tells while it runs.
struct Verbosity {
  bool quiet = false;     ///< --quiet: warnings and errors only
  bool progress = false;  ///< --progress: also where stderr is no terminal

  void add_to(CLI::App& command);
};

/// What there is to do.
struct Workload {
  Index num_images = 1;
  Index voxels_per_image = 0;  ///< of the output
  Index bytes_per_image = 0;   ///< read and written; 0: not told
};

class ProgressBar {
 public:
  /// Draws nothing in the first half second, nor where nobody would see it. Where stderr is no terminal, a new line is
  /// written now and then instead.
  ProgressBar(const Verbosity& verbosity, const Workload& workload);
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// The images before this one are done; progress that is shown next is of it.
  void begin_image(Index number);
  void show(const Progress& progress);
  void show(const DeconvolutionProgress& progress);
  /// Takes the line away, so that other text can follow.
  void clear();

 private:
  /// `rate`: what is told beside the percentage.
  void draw(double done, double elapsed_seconds, double left_seconds, const std::string& rate);
  bool is_due(double elapsed_seconds) const;

  bool on_terminal_;
  bool enabled_;
  bool drawn_ = false;
  Workload workload_;
  Index image_ = 0;
  double seconds_before_ = 0;  // that the images before took
  double images_run_ = 0;      // what was computed of them; tiles that were there already take no time
  Progress latest_;
  Index skipped_tiles_ = 0;  // of this image
  double drawn_at_seconds_ = 0;
};

}  // namespace convoy::cli
