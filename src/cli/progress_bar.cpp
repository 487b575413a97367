#include "cli/progress_bar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <system_error>

#include "base/messages.hpp"
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
    : on_terminal_(is_terminal(kStandardError)),
      enabled_(!verbosity.quiet && (on_terminal_ || verbosity.progress)),
      workload_(workload) {
  if (!enabled_) return;
  try {
    watcher_ = std::thread([this] { watch(); });
  } catch (const std::system_error&) {  // no thread can be started: lines come with the tiles alone
  }
}

ProgressBar::~ProgressBar() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
    const bool owes_last_line = !on_terminal_ && drawn_done_ < 1 && done_ >= 1;
    if (enabled_ && owes_last_line) draw();
  }
  ended_.notify_all();
  if (watcher_.joinable()) watcher_.join();
  clear();
}

double ProgressBar::passed_seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
}

void ProgressBar::watch() {
  std::unique_lock lock(mutex_);
  while (!is_over_) {
    ended_.wait_for(lock, std::chrono::duration<double>(kRedrawSeconds));
    const double without_news_seconds = passed_seconds() - std::max(0.0, drawn_at_seconds_);
    if (!is_over_ && without_news_seconds >= (on_terminal_ ? kFirstDrawSeconds : kNextLineSeconds)) draw();
  }
}

bool ProgressBar::is_due(double passed_seconds) const {
  if (!enabled_ || passed_seconds < kFirstDrawSeconds) return false;
  return drawn_at_seconds_ < 0 ||
         passed_seconds - drawn_at_seconds_ >= (on_terminal_ ? kRedrawSeconds : kNextLineSeconds);
}

void ProgressBar::draw() {
  const double now_seconds = passed_seconds();
  const std::string left = left_seconds_ < 0
                               ? time_text(now_seconds) + " passed"
                               : time_text(std::max(0.0, left_seconds_ - (now_seconds - news_at_seconds_))) + " left";
  const std::string text = fmt::format("{:3.0f} %  {}{}", 100 * done_, rate_.empty() ? "" : rate_ + "  ", left);
  const auto filled = static_cast<int>(done_ * kBarWidth);
  if (on_terminal_) {
    print_message("\r\x1b[K[{:#<{}}{:.<{}}] {}", "", filled, "", kBarWidth - filled, text);
  } else {
    print_message("{}\n", text);
  }
  is_drawn_ = on_terminal_;
  drawn_at_seconds_ = now_seconds;
  drawn_done_ = done_;
}

void ProgressBar::show(const Progress& progress) {
  const std::lock_guard lock(mutex_);
  if (!skipped_tiles_) skipped_tiles_ = progress.tiles_done - 1;  // the first call is after one tile
  const auto num_tiles = static_cast<double>(progress.num_tiles);
  const double run = static_cast<double>(progress.tiles_done - *skipped_tiles_) / num_tiles;
  const double rate = run / progress.elapsed_seconds;
  rate_ = fmt::format("{:.3g} Mvoxel/s", 1e-6 * rate * static_cast<double>(workload_.num_voxels));
  if (workload_.num_bytes > 0) {
    rate_ += fmt::format("  {:.3g} MB/s", 1e-6 * rate * static_cast<double>(workload_.num_bytes));
  }
  done_ = static_cast<double>(progress.tiles_done) / num_tiles;
  left_seconds_ = (1 - done_) / rate;
  news_at_seconds_ = passed_seconds();
  if (is_due(passed_seconds())) draw();
}

void ProgressBar::show(const DeconvolutionProgress& progress) {
  if (progress.iterations_done == 0) return;
  const std::lock_guard lock(mutex_);
  done_ = static_cast<double>(progress.iterations_done) / static_cast<double>(progress.num_iterations);
  left_seconds_ = progress.elapsed_seconds / done_ - progress.elapsed_seconds;
  news_at_seconds_ = passed_seconds();
  rate_ = fmt::format("iteration {} of {}, changed by {:.2g}", progress.iterations_done, progress.num_iterations,
                      progress.relative_change);
  if (is_due(passed_seconds())) draw();
}

void ProgressBar::clear() {
  const std::lock_guard lock(mutex_);
  if (!is_drawn_) return;
  print_message("\r\x1b[K");
  is_drawn_ = false;
}

}  // namespace convoy::cli
