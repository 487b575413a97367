// One line on the terminal, redrawn: percent, rate and remaining time.
#pragma once

#include <string>

#include "convoy/convolution.hpp"
#include "convoy/deconvolution.hpp"

namespace convoy::cli {

class ProgressBar {
 public:
  /// Draws nothing if `quiet` or if stderr is no terminal, nor in the first half second.
  ProgressBar(bool quiet, Index output_voxels);
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void show(const Progress& progress);
  void show(const DeconvolutionProgress& progress);
  /// Takes the line away, so that other text can follow.
  void clear();

 private:
  /// `rate`: what is told beside the percentage.
  void draw(double done, double elapsed_seconds, const std::string& rate);
  bool is_due(double elapsed_seconds) const;

  bool enabled_;
  bool drawn_ = false;
  double output_voxels_;
  double drawn_at_seconds_ = 0;
};

}  // namespace convoy::cli
