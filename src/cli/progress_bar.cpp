#include "cli/progress_bar.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <string>

#include "cli/print.hpp"

namespace convoy::cli {
namespace {

constexpr double kFirstDrawSeconds = 0.5;
constexpr double kRedrawSeconds = 0.1;
constexpr double kNextLineSeconds = 10;
constexpr int kBarWidth = 30;

std::string time_text(double seconds) {
  const auto whole = static_cast<Index>(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

}  // namespace

void Verbosity::add_to(CLI::App& command) {
  auto* quietly = command.add_flag("--quiet,-q", quiet, "No progress, no summary; warnings and errors only");
  command.add_flag("--progress", progress, "Tell progress also where stderr is no terminal, one line now and then")
      ->excludes(quietly);
}

ProgressBar::ProgressBar(const Verbosity& verbosity, const Workload& workload)
    : on_terminal_(::isatty(STDERR_FILENO) == 1),
      enabled_(!verbosity.quiet && (on_terminal_ || verbosity.progress)),
      workload_(workload) {}

bool ProgressBar::is_due(double elapsed_seconds) const {
  if (!enabled_ || elapsed_seconds < kFirstDrawSeconds) return false;
  return !drawn_ || elapsed_seconds - drawn_at_seconds_ >= (on_terminal_ ? kRedrawSeconds : kNextLineSeconds);
}

void ProgressBar::draw(double done, double elapsed_seconds, double left_seconds, const std::string& rate) {
  const std::string text = fmt::format("{:3.0f} %  {}  {} left", 100 * done, rate, time_text(left_seconds));
  const auto filled = static_cast<int>(done * kBarWidth);
  if (on_terminal_) {
    print_message("\r\x1b[K[{:#<{}}{:.<{}}] {}", "", filled, "", kBarWidth - filled, text);
  } else {
    print_message("{}\n", text);
  }
  drawn_ = true;
  drawn_at_seconds_ = elapsed_seconds;
}

void ProgressBar::begin_image(Index number) {
  image_ = number;
  seconds_before_ += latest_.elapsed_seconds;
  if (latest_.num_tiles > 0) {
    images_run_ += static_cast<double>(latest_.num_tiles - skipped_tiles_) / static_cast<double>(latest_.num_tiles);
  }
  latest_ = {};
  skipped_tiles_ = 0;
}

void ProgressBar::show(const Progress& progress) {
  if (latest_.num_tiles == 0) skipped_tiles_ = progress.tiles_done - 1;  // the first call is after one tile
  latest_ = progress;
  const double elapsed_seconds = seconds_before_ + progress.elapsed_seconds;
  if (!is_due(elapsed_seconds)) return;
  const auto num_tiles = static_cast<double>(progress.num_tiles);
  const double images_run = images_run_ + static_cast<double>(progress.tiles_done - skipped_tiles_) / num_tiles;
  const double images_done = static_cast<double>(image_) + static_cast<double>(progress.tiles_done) / num_tiles;
  const double images_per_second = images_run / elapsed_seconds;
  std::string rate =
      fmt::format("{:.3g} Mvoxel/s", 1e-6 * images_per_second * static_cast<double>(workload_.voxels_per_image));
  if (workload_.bytes_per_image > 0) {
    rate += fmt::format("  {:.3g} MB/s", 1e-6 * images_per_second * static_cast<double>(workload_.bytes_per_image));
  }
  const auto num_images = static_cast<double>(workload_.num_images);
  draw(images_done / num_images, elapsed_seconds, (num_images - images_done) / images_per_second, rate);
}

void ProgressBar::show(const DeconvolutionProgress& progress) {
  if (progress.iterations_done == 0 || !is_due(progress.elapsed_seconds)) return;
  const double done = static_cast<double>(progress.iterations_done) / static_cast<double>(progress.num_iterations);
  draw(done, progress.elapsed_seconds, progress.elapsed_seconds / done - progress.elapsed_seconds,
       fmt::format("iteration {} of {}, changed by {:.2g}", progress.iterations_done, progress.num_iterations,
                   progress.relative_change));
}

void ProgressBar::clear() {
  if (!drawn_ || !on_terminal_) return;
  print_message("\r\x1b[K");
  drawn_ = false;
}

}  // namespace convoy::cli
