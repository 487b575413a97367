// Wall-clock times and their spread.
#pragma once

#include <chrono>
#include <functional>
#include <vector>

namespace convoy::bench {

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

/// The least of what `run` returns when it is called so many times.
double best_seconds(int repeats, const std::function<double()>& run);

/// Seconds per operation. Each value is the mean of one batch of `batch_size` operations.
struct Times {
  double min_seconds = 0;
  double median_seconds = 0;
  double max_seconds = 0;
  int batch_size = 1;
  int num_batches = 0;
  std::vector<double> batches;  ///< the values that these are of, in ascending order
};

/// The same for `factor` operations one after the other.
Times scaled(const Times& times, double factor);

Times summarize(std::vector<double> seconds_per_operation, int batch_size);

/// Of the batches of both.
Times merged(const Times& a, const Times& b);

/// Runs `batch` (which returns its seconds, `batch_size` operations together) until `repeats` values are there, or at
/// least three and `budget_seconds` are spent.
Times time_batches(int repeats, double budget_seconds, int batch_size, const std::function<double()>& batch);

}  // namespace convoy::bench
