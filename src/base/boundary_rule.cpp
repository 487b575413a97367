#include "base/boundary_rule.hpp"

#include <algorithm>
#include <numeric>

namespace convoy::inline v0 {
namespace {

Index modulo(Index a, Index n) {
  const Index rest = a % n;
  return rest < 0 ? rest + n : rest;
}

}  // namespace

Index BoundaryRule::source_of(Index at) const {
  if (at >= 0 && at < size) return at;
  switch (kind) {
    case Kind::outside:
      break;
    case Kind::clamped:
      return std::clamp<Index>(at, 0, size - 1);
    case Kind::periodic: {
      const Index place = modulo(at, period);
      return place < size ? place : period + offset - place;
    }
  }
  return kOutside;
}

BoundaryRule boundary_rule(Boundary boundary, Index size) {
  using Kind = BoundaryRule::Kind;
  switch (boundary) {
    case Boundary::zero:
    case Boundary::constant:
      break;
    case Boundary::nearest:
      return {.kind = Kind::clamped, .size = size};
    case Boundary::wrap:
      return {.kind = Kind::periodic, .size = size, .period = size};
    case Boundary::reflect:
      return {.kind = Kind::periodic, .size = size, .period = 2 * size, .offset = -1, .mirrored = true};
    case Boundary::mirror:
      return {.kind = Kind::periodic, .size = size, .period = std::max<Index>(1, 2 * size - 2), .mirrored = true};
  }
  return {.kind = Kind::outside, .size = size};
}

bool repeats_unevenly(Boundary boundary) {
  const BoundaryRule rule = boundary_rule(boundary, 1);
  switch (rule.kind) {
    case BoundaryRule::Kind::outside:
      return false;
    case BoundaryRule::Kind::clamped:
      return true;
    case BoundaryRule::Kind::periodic:
      return rule.mirrored;
  }
  return false;
}

bool repeats_evenly(Boundary boundary) {
  return boundary_rule(boundary, 1).kind != BoundaryRule::Kind::outside && !repeats_unevenly(boundary);
}

std::vector<Index> source_positions(Boundary boundary, Index begin, Index count, Index size) {
  const BoundaryRule rule = boundary_rule(boundary, size);
  std::vector<Index> positions(static_cast<std::size_t>(count));
  const Index first_inside = std::clamp<Index>(-begin, 0, count);
  const Index end_inside = std::clamp<Index>(size - begin, first_inside, count);
  for (Index i = 0; i < first_inside; ++i) positions[static_cast<std::size_t>(i)] = rule.source_of(begin + i);
  // Nearly all of them, mostly.
  std::iota(positions.begin() + first_inside, positions.begin() + end_inside, begin + first_inside);
  for (Index i = end_inside; i < count; ++i) positions[static_cast<std::size_t>(i)] = rule.source_of(begin + i);
  return positions;
}

Boundary reading_boundary(const ConvolutionSpec& spec) {
  if (spec.mode == Mode::circular) return Boundary::wrap;
  if (spec.mode == Mode::valid) return Boundary::zero;
  if (spec.operation == Operation::correlate && !repeats_evenly(spec.boundary)) return Boundary::zero;
  return spec.boundary;
}

}  // namespace convoy::inline v0
