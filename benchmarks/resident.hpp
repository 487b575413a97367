// Convolutions of arrays that lie on the device, through the public class: right first, then timed.
#pragma once

#include "convoy/device.hpp"
#include "convoy/plan.hpp"
#include "problem.hpp"
#include "samples.hpp"
#include "times.hpp"

namespace convoy::bench {

struct ResidentRuns {
  Plan plan;  ///< and memory of what was timed, or checked where nothing was timed
  Verdict verdict;
  Times times;                          ///< of whole runs: all images of the batch, one queued behind the other
  std::uint64_t peak_device_bytes = 0;  ///< of convoy, arrays that lie in device memory among them
};

/// Image and output are the case's element, dense, in device memory. Times only what is right. `floor_seconds` is what
/// a run takes at least: so many are queued between two waits that these are not seen.
ResidentRuns run_resident(Device& device, const Problem& problem, const Samples& samples, const PlanOptions& plan,
                          double floor_seconds, int repeats, bool check_only);

}  // namespace convoy::bench
