// What interrupted runs left beside an output (find_leftovers, remove_leftover of convoy/io.hpp).
#pragma once

#include "io/output_place.hpp"

namespace convoy::io {

/// Removes the temporary files and folders of this output that no living process writes: those of runs that were
/// killed. What --resume continues stays. Only what this user's convoy made goes; what cannot be removed stays.
void remove_abandoned(const OutputPlace& place) noexcept;

}  // namespace convoy::io
