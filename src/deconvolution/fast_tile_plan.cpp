#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "convoy/error.hpp"
#include "deconvolution/plans.hpp"

namespace convoy {
namespace {

Index divided_up(Index a, Index b) { return (a + b - 1) / b; }

/// At least one voxel, so that seams can be compared.
Shape halo_of(const DeconvolutionSpec& spec) {
  Shape halo;
  for (int axis = 0; axis < 3; ++axis) {
    const double voxels = std::max(1.0, std::ceil(spec.halo * static_cast<double>(spec.psf[axis] - 1)));
    halo[axis] = voxels < static_cast<double>(spec.image[axis]) ? static_cast<Index>(voxels) : spec.image[axis];
  }
  return halo;
}

FastTiling tiling_of(const DeconvolutionSpec& spec, const Shape& core) {
  FastTiling tiling;
  tiling.core = core;
  tiling.halo = halo_of(spec);
  for (int axis = 0; axis < 3; ++axis) {
    tiling.counts[axis] = divided_up(spec.image[axis], core[axis]);
    tiling.tile[axis] = std::min(spec.image[axis], core[axis] + 2 * tiling.halo[axis]);
  }
  return tiling;
}

/// Voxels of the unknown in all tiles together.
double work_of(const DeconvolutionSpec& spec, const FastTiling& tiling) {
  double voxels = static_cast<double>(tiling.num_tiles());
  for (int axis = 0; axis < 3; ++axis) voxels *= static_cast<double>(tiling.tile[axis] + spec.psf[axis] - 1);
  return voxels;
}

/// The next smaller tile along an axis; none where the halo reaches across the image.
std::optional<FastTiling> divided(const DeconvolutionSpec& spec, const FastTiling& tiling, int axis) {
  FastTiling next = tiling;
  for (Index count = tiling.counts[axis]; next.tile[axis] == tiling.tile[axis];) {
    if (next.core[axis] == 1) return std::nullopt;
    Shape core = tiling.core;
    core[axis] = divided_up(spec.image[axis], ++count);
    next = tiling_of(spec, core);
  }
  return next;
}

/// Along the axis where it costs least.
std::optional<FastTiling> divided_further(const DeconvolutionSpec& spec, const FastTiling& tiling) {
  std::optional<FastTiling> best;
  for (int axis = 0; axis < 3; ++axis) {
    const auto next = divided(spec, tiling, axis);
    if (next && (!best || work_of(spec, *next) < work_of(spec, *best))) best = next;
  }
  return best;
}

DeconvolutionSpec spec_of_tile(const DeconvolutionSpec& whole, const FastTiling& tiling) {
  DeconvolutionSpec spec = whole;
  spec.image = tiling.tile;
  return spec;
}

DeconvolutionPlan plan_of(const DeconvolutionSpec& whole, const FastTiling& tiling, DeconvolutionPlan plan,
                          const std::string& why) {
  const auto num_tiles = static_cast<std::uint64_t>(tiling.num_tiles());
  plan.spec = whole;
  plan.fast = tiling;
  plan.traffic_bytes = saturating_product(plan.traffic_bytes, num_tiles);
  plan.predicted_seconds *= static_cast<double>(num_tiles);
  plan.reasons = {fmt::format("all iterations of a tile at once, {} tiles of {} zyx with a halo of {}: {}", num_tiles,
                              to_text(tiling.tile), to_text(tiling.halo), why)};
  return plan;
}

}  // namespace

DeconvolutionSpec spec_of_tile(const DeconvolutionPlan& plan) { return spec_of_tile(plan.spec, *plan.fast); }

DeconvolutionPlan make_fast_plan(const DeconvolutionSpec& spec, const Limits& limits, const PlanOptions& options,
                                 const std::string& why) {
  FastTiling tiling = tiling_of(spec, spec.image);
  while (true) {
    const auto next = divided_further(spec, tiling);
    if (next) tiling = *next;
    if (next && tiling.num_tiles() < options.min_tiles) continue;
    try {
      return plan_of(spec, tiling, make_whole_plan(spec_of_tile(spec, tiling), limits, options), why);
    } catch (const Error& problem) {
      const bool too_large = problem.code() == Errc::out_of_memory || problem.code() == Errc::unsupported;
      if (!too_large || !next) throw;
    }
  }
}

}  // namespace convoy
