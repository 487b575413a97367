// Loops over rows of voxels on all threads of the host.
#pragma once

#include <algorithm>

#include "base/stream_copy.hpp"
#include "base/worker_pool.hpp"
#include "convoy/shape.hpp"

namespace convoy::inline v0 {

/// Calls body(begin, end) for rows [0, num_rows), so many at a time that a thread is busy for some microseconds.
template <class Body>
void for_each_rows(Index num_rows, Index row_bytes, const Body& body) {
  constexpr Index kBytesAtATime = Index{128} << 10;
  const Index grain = std::max<Index>(1, kBytesAtATime / std::max<Index>(1, row_bytes));
  host_workers().for_each(num_rows, grain, [&](int, Index begin, Index end) { body(begin, end); });
}

/// Whether copies of so many voxels together are better made past the caches.
inline bool streaming_pays(Index voxels, std::size_t voxel_bytes) {
  return static_cast<std::size_t>(voxels) * voxel_bytes >= kStreamBytes;
}

}  // namespace convoy::inline v0
