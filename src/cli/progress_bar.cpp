#include "cli/progress_bar.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <string>

namespace convoy::cli {
namespace {

constexpr double kFirstDrawSeconds = 0.5;
constexpr double kRedrawSeconds = 0.1;
constexpr int kBarWidth = 30;

std::string time_text(double seconds) {
  const auto whole = static_cast<Index>(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

}  // namespace

ProgressBar::ProgressBar(bool quiet, Index output_voxels)
    : enabled_(!quiet && ::isatty(STDERR_FILENO) == 1), output_voxels_(static_cast<double>(output_voxels)) {}

bool ProgressBar::is_due(double elapsed_seconds) const {
  if (!enabled_ || elapsed_seconds < kFirstDrawSeconds) return false;
  return !drawn_ || elapsed_seconds - drawn_at_seconds_ >= kRedrawSeconds;
}

void ProgressBar::draw(double done, double elapsed_seconds, const std::string& rate) {
  const auto filled = static_cast<int>(done * kBarWidth);
  fmt::print(stderr, "\r\x1b[K[{:#<{}}{:.<{}}] {:3.0f} %  {}  {} left", "", filled, "", kBarWidth - filled, 100 * done,
             rate, time_text(elapsed_seconds / done - elapsed_seconds));
  std::fflush(stderr);
  drawn_ = true;
  drawn_at_seconds_ = elapsed_seconds;
}

void ProgressBar::show(const Progress& progress) {
  if (progress.tiles_done == 0 || !is_due(progress.elapsed_seconds)) return;
  const double done = static_cast<double>(progress.tiles_done) / static_cast<double>(progress.num_tiles);
  draw(done, progress.elapsed_seconds,
       fmt::format("{:.3g} Mvoxel/s", 1e-6 * done * output_voxels_ / progress.elapsed_seconds));
}

void ProgressBar::show(const DeconvolutionProgress& progress) {
  if (progress.iterations_done == 0 || !is_due(progress.elapsed_seconds)) return;
  draw(static_cast<double>(progress.iterations_done) / static_cast<double>(progress.num_iterations),
       progress.elapsed_seconds,
       fmt::format("iteration {} of {}, changed by {:.2g}", progress.iterations_done, progress.num_iterations,
                   progress.relative_change));
}

void ProgressBar::clear() {
  if (!drawn_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  drawn_ = false;
}

}  // namespace convoy::cli
