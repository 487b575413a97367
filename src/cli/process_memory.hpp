// Host memory of this process, as the kernel counts it.
#pragma once

#include <cstdint>

namespace convoy::cli {

/// Most memory that the process has had resident at one time; 0 if the system does not say.
std::uint64_t peak_host_bytes();
/// Resident now; 0 if the system does not say.
std::uint64_t resident_host_bytes();

/// Threads share few arenas: each takes address space of its own, and keeps what is freed in it.
void share_arenas();

/// Room for the calls of this program and of libraries: a smaller limit (ulimit -s) is raised. Throws
/// Error(out_of_memory) where that is forbidden.
void ensure_stacks();

/// Lets large blocks go back to the system as soon as they are freed, so that resident memory is what is in use.
void return_freed_memory();

}  // namespace convoy::cli
