#include "times.hpp"

#include <algorithm>
#include <limits>

namespace convoy::bench {

double best_seconds(int repeats, const std::function<double()>& run) {
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < repeats; ++i) best = std::min(best, run());
  return best;
}

Times summarize(std::vector<double> seconds, int batch_size) {
  Times times;
  times.batch_size = batch_size;
  times.num_batches = static_cast<int>(seconds.size());
  if (seconds.empty()) return times;
  std::sort(seconds.begin(), seconds.end());
  times.min_seconds = seconds.front();
  times.max_seconds = seconds.back();
  const std::size_t middle = seconds.size() / 2;
  times.median_seconds = seconds.size() % 2 == 1 ? seconds[middle] : (seconds[middle - 1] + seconds[middle]) / 2;
  times.batches = std::move(seconds);
  return times;
}

Times scaled(const Times& times, double factor) {
  std::vector<double> seconds = times.batches;
  for (double& value : seconds) value *= factor;
  return summarize(std::move(seconds), times.batch_size);
}

Times merged(const Times& a, const Times& b) {
  std::vector<double> seconds = a.batches;
  seconds.insert(seconds.end(), b.batches.begin(), b.batches.end());
  return summarize(std::move(seconds), a.batch_size);
}

Times time_batches(int repeats, double budget_seconds, int batch_size, const std::function<double()>& batch) {
  constexpr int kFewest = 3;
  const Stopwatch spent;
  std::vector<double> values;
  for (int i = 0; i < repeats && (i < kFewest || spent.seconds() < budget_seconds); ++i) {
    values.push_back(batch() / batch_size);
  }
  return summarize(std::move(values), batch_size);
}

}  // namespace convoy::bench
