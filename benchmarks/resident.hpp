// Time of a convolution whose image and spectrum are in device memory already: no transfers.
#pragma once

#include "convoy/device.hpp"
#include "problem.hpp"
#include "times.hpp"

namespace convoy::bench {

/// Of one tile of the plan, the image's first. `expected_seconds` tells how long one convolution takes at least;
/// batches are made long enough that one synchronisation a batch is not seen. The plan must load on the device as it
/// is.
Times time_resident(Device& device, const Plan& plan, const Problem& problem, double expected_seconds, int repeats);

/// Of whole runs from a device array to a device array, as a ResidentConvolver does them: every tile gathered,
/// convolved and scattered.
Times time_arrays(Device& device, const Plan& plan, const Problem& problem, double expected_seconds, int repeats);

}  // namespace convoy::bench
