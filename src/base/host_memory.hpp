// How much memory this process may still take, and memory for buffers that callers hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/private_export.hpp"

namespace convoy::inline v0 {

/// What the machine and the control groups of this process allow, in bytes.
struct MemoryAllowance {
  std::uint64_t total = 0;  ///< as long as the limits are not changed
  std::uint64_t available =
      0;  ///< of it, what is not in use now; the page cache, which the kernel gives up, is not use
};

/// As the files of /proc and /sys say, which are looked for in folder `root`. Control groups are looked at from that of
/// the process up to the outermost that can be seen, in either version: each may set a limit for all below it.
MemoryAllowance memory_allowance(const std::filesystem::path& root);

/// Of this process: memory_allowance("/"), and the limits of the process itself (address space and data: ulimit -v, -d;
/// the kernel does not keep those of resident memory).
MemoryAllowance allowance_of_process();

/// Each alone.
CONVOY_PRIVATE std::uint64_t available_host_bytes();
CONVOY_PRIVATE std::uint64_t total_host_bytes();

/// Uninitialised, from the beginning of a page on, freed with the last copy. Throws OutOfMemory.
std::shared_ptr<std::byte> allocate_host(std::uint64_t bytes);

}  // namespace convoy::inline v0
