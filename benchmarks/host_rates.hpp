// What the host's threads move in their own memory: the other bound of runs from ordinary memory.
#pragma once

namespace convoy::bench {

/// Bytes copied or read a second, by all threads of the host together, of 512 MiB; best of five.
struct HostRates {
  double copy = 0;       ///< and summed up, past the caches: as tiles are gathered and scattered
  double sum = 0;        ///< only read: as of pinned memory, which the device copies itself
  double into_ring = 0;  ///< copied into the same 16 MiB again and again, as small staging buffers would be
  double from_ring = 0;  ///< and out of them
};

HostRates measure_host();

}  // namespace convoy::bench
