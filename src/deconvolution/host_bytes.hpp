// Host memory of a deconvolution.
#pragma once

#include "convoy/deconvolution.hpp"

namespace convoy::inline v0 {

/// Restored tiles of one device of several: one in work, one that waits until those before it are joined.
inline constexpr Index kTilesInHand = 2;

/// Most bytes of a scratch file that are in memory at a time, but for what a single row of threads needs.
inline constexpr std::uint64_t kScratchWindowBytes = std::uint64_t{16} << 20;

/// Fills in the plan's host_ledger, without lines of 0 bytes, and host_bytes, and those of its scratch file. Without
/// PlanOptions::streaming, those of exact tiles alone: what else there is belongs to the caller. Of several devices
/// (PlanOptions::num_devices) exact tiles' is of all together, another plan's of one.
void set_host_ledger(const Limits& limits, const PlanOptions& options, DeconvolutionPlan& plan);

/// Of exact tiles: the ledger without blur and adjoint, which need not be planned yet.
std::uint64_t host_bytes_beside_convolutions(const DeconvolutionPlan& plan, const Limits& limits,
                                             const PlanOptions& options);

}  // namespace convoy::inline v0
