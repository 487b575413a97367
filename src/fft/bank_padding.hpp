// Padding of rows in shared memory, against bank conflicts between neighbouring threads of a transform.
#pragma once

#include <vector>

#include "convoy/shape.hpp"

namespace convoy::inline v0 {

/// `pad` elements are left unused after every `period` elements.
struct BankPadding {
  Index period = 1;
  Index pad = 0;
  /// Of element i. place(a + j * stride) == place(a) + place(j * stride) for the elements of every butterfly.
  Index place(Index i) const { return i + i / period * pad; }
};

/// The padding with the fewest bank conflicts over all stages, counted for 16 threads, 8 bytes each and 16 banks of 8
/// bytes.
BankPadding best_bank_padding(const std::vector<Index>& radices);

}  // namespace convoy::inline v0
