// Gaps in shared memory that keep neighbouring threads of a row's transform off each other's banks.
#pragma once

#include <vector>

#include "convoy/shape.hpp"

namespace convoy {

/// `gap` elements are left out behind every `every`.
struct Skew {
  Index every = 1;
  Index gap = 0;
  /// Of element i. place(a + j * stride) == place(a) + place(j * stride) for the elements of every butterfly.
  Index place(Index i) const { return i + i / every * gap; }
};

/// The gaps with the fewest conflicts over all stages, counted for 16 threads, 8 bytes each and 16 banks of 8 bytes.
Skew best_skew(const std::vector<Index>& radices);

}  // namespace convoy
