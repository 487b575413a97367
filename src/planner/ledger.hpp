// What the buffers of a tile are called in a ledger, and how wide they are accessed.
#pragma once

#include <string>
#include <vector>

#include "planner/layout.hpp"

namespace convoy::inline v0 {

/// "128x640x321 zyx complex f32", for extents in device order.
std::string device_shape(const TileLayout& layout, const std::array<Index, 3>& extents, const char* kind);

/// Image tiles, so many in flight; work buffer, kernel spectrum, FFT tables.
std::vector<LedgerLine> ledger_of(const TileLayout& layout, const Limits& limits, int num_in_flight);

/// Predicted bytes as a whole number that stops at 2^64 - 1.
std::uint64_t whole_bytes(double bytes);

/// Wide strided accesses are the faster ones, as long as the columns of a workgroup, so wide, leave shared memory for
/// others beside it. Measured on an H200 (benchmarks/README.md).
std::uint64_t widest_access(const TileLayout& layout, const Limits& limits);

}  // namespace convoy::inline v0
