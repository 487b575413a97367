// Runs from host memory to host memory, page-locked and ordinary, held against the bus: convoy-bench --host.
#pragma once

#include "options.hpp"

namespace convoy::bench {

/// Each case in each kind of memory, on each device alone or on all together; checked at sample voxels before it is
/// timed. Needs room for image and output once. Returns whether all answers were right.
bool run_host_runs(const Options& options);

}  // namespace convoy::bench
