#include "base/boundary_map.hpp"

#include <algorithm>

namespace convoy {
namespace {

Index modulo(Index a, Index n) {
  const Index rest = a % n;
  return rest < 0 ? rest + n : rest;
}

}  // namespace

Index source_position(Boundary boundary, Index at, Index n) {
  if (at >= 0 && at < n) return at;
  switch (boundary) {
    case Boundary::zero:
    case Boundary::constant:
      return kOutside;
    case Boundary::nearest:
      return std::clamp<Index>(at, 0, n - 1);
    case Boundary::wrap:
      return modulo(at, n);
    case Boundary::reflect: {
      const Index folded = modulo(at, 2 * n);
      return folded < n ? folded : 2 * n - 1 - folded;
    }
  }
  return kOutside;
}

std::vector<Index> source_positions(Boundary boundary, Index begin, Index count, Index n) {
  std::vector<Index> positions(static_cast<std::size_t>(count));
  for (Index i = 0; i < count; ++i) positions[static_cast<std::size_t>(i)] = source_position(boundary, begin + i, n);
  return positions;
}

Boundary reading_boundary(const ConvolutionSpec& spec) {
  if (spec.mode == Mode::circular) return Boundary::wrap;
  if (spec.mode != Mode::same) return Boundary::zero;
  if (spec.operation == Operation::correlate && spec.boundary != Boundary::wrap) return Boundary::zero;
  return spec.boundary;
}

}  // namespace convoy
