// What environment variables set, set by the program: for hosts that cannot change their environment in time.
#pragma once

#include <optional>
#include <string>

#include "convoy/export.h"

namespace convoy::inline v0 {

/// Gives a variable of README's table ("CONVOY_THREADS", "CONVOY_FFTW3F_LIBRARY", "CONVOY_CACHE_DIR" ...) a value that
/// counts in place of the environment's; an empty one counts as unset, none as the environment's again. CONVOY_THREADS
/// counts for convolvers made from then on. Libraries, and all that is read when a backend is first looked for, must be
/// set before: throws Error(invalid_argument) for a variable that was read once and for all, and for unknown names.
/// CONVOY_LOG is not among them: set_log() takes its place. Not to be called while convoy runs in another thread.
CONVOY_API void set_variable(const std::string& name, const std::optional<std::string>& value);

/// Threads of the CPU backend and of host copies for what is made now: CONVOY_THREADS, else SLURM_CPUS_PER_TASK, else
/// OMP_NUM_THREADS, else the processors this process may use.
CONVOY_API int num_threads();

}  // namespace convoy::inline v0
