// Richardson-Lucy: an iteration's time and memory, reported once its answers are right.
#pragma once

#include "options.hpp"

namespace convoy::bench {

/// Each case with each way of treating edges and each acceleration, on each device. A small case of the same parities
/// is compared with plain double precision, flux and likelihood of the case itself are looked at, then iterations are
/// timed: estimate and data stay on the device between them. Prints a line and writes the JSON after each. Whether all
/// were right.
bool run_deconvolutions(const Options& options);

}  // namespace convoy::bench
