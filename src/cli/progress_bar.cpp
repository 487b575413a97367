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

void ProgressBar::show(const Progress& progress) {
  const double now = progress.elapsed_seconds;
  if (!enabled_ || now < kFirstDrawSeconds || progress.tiles_done == 0) return;
  if (drawn_ && now - drawn_at_seconds_ < kRedrawSeconds) return;
  const double done = static_cast<double>(progress.tiles_done) / static_cast<double>(progress.num_tiles);
  const auto filled = static_cast<int>(done * kBarWidth);
  fmt::print(stderr, "\r\x1b[K[{:#<{}}{:.<{}}] {:3.0f} %  {:.3g} Mvoxel/s  {} left", "", filled, "", kBarWidth - filled,
             100 * done, 1e-6 * done * output_voxels_ / now, time_text(now / done - now));
  std::fflush(stderr);
  drawn_ = true;
  drawn_at_seconds_ = now;
}

void ProgressBar::clear() {
  if (!drawn_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  drawn_ = false;
}

}  // namespace convoy::cli
