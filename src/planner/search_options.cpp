// What of a search follows from limits and options alone.
#include <algorithm>

#include "planner/search.hpp"

namespace convoy::inline v0 {

Budget budget_of(const Limits& limits, const PlanOptions& options) {
  Budget budget;
  if (options.deterministic && limits.total_bytes > 0) {
    budget = {limits.total_bytes / 2, "half of the device's memory"};
  }
  const bool free_bytes_known = limits.free_bytes > 0 || limits.total_bytes > 0;
  if (free_bytes_known && !options.deterministic) {
    budget.bytes = limits.free_bytes > limits.reserve_bytes ? limits.free_bytes - limits.reserve_bytes : 0;
    budget.limit_name = "free device memory";
  }
  if (options.memory_limit_bytes > 0 && options.memory_limit_bytes <= budget.bytes) {
    budget = {options.memory_limit_bytes, "memory limit"};
  }
  return budget;
}

/// Rows that start at whole 128-byte lines are 4 to 7 % faster on GPUs (benchmarks/README.md).
FftTuning tuning_of_layout(const Limits& limits, const PlanOptions& options) {
  FftTuning tuning = options.choice ? options.choice->tuning : options.tuning;
  if (tuning.pitch_alignment == 0) {
    tuning.pitch_alignment = limits.shared_memory_bytes > 0 && options.tune != Tune::off ? 16 : 1;
  }
  return tuning;
}

int lanes_of(const ConvolutionSpec& spec, const Limits& limits, const PlanOptions& options) {
  const bool may = has_lanes(limits) && !options.resident && !options.streaming && options.num_devices == 1 &&
                   !options.deterministic && options.max_sets > 1 && !folds_output(spec);
  return may ? static_cast<int>(limits.num_host_threads) : 1;
}

}  // namespace convoy::inline v0
