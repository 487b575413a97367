// Host memory of a deconvolution that reads and writes its images box by box.
#pragma once

#include "convoy/deconvolution.hpp"

namespace convoy {

/// Restored tiles of one device of several: one in work, one that waits until those before it are joined.
inline constexpr Index kTilesInHand = 2;

/// Fills in the plan's host_ledger, without lines of 0 bytes, and host_bytes. Without PlanOptions::streaming, those of
/// exact tiles alone: what else there is belongs to the caller.
void set_host_ledger(const Limits& limits, const PlanOptions& options, DeconvolutionPlan& plan);

}  // namespace convoy
