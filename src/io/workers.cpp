#include "io/workers.hpp"

#include <algorithm>

#include "convoy/shape.hpp"

namespace convoy::io {

WorkerPool& codec_workers() {
  static WorkerPool workers(default_num_threads());
  return workers;
}

std::uint64_t codec_bytes(std::uint64_t piece_bytes) {
  constexpr int kMostCallers = 4;  // boxes of one piece are done by the thread that asks for them
  const int num_threads = default_num_threads() + std::min(default_num_threads(), kMostCallers);
  return saturating_product(2 * static_cast<std::uint64_t>(num_threads), piece_bytes);
}

}  // namespace convoy::io
