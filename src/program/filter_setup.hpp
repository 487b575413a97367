// The setup that programs of a convolution share: the caller's kernel becomes a spectrum.
#pragma once

#include <array>
#include <vector>

#include "convoy/plan.hpp"
#include "program/program.hpp"

namespace convoy::inline v0 {

using Extents = std::array<Index, 3>;

/// A field of the plan's axes in device order.
Extents in_device_order(const Plan& plan, Index AxisPlan::*field);

/// Stops at 2^64 - 1 instead of wrapping.
std::uint64_t product(const Extents& extents);

FftGeometry geometry_of(const Plan& plan);

/// Which of the kernels that lie in the port; their spectra lie one behind the other.
struct KernelRange {
  Index first = 0;
  Index num = 1;
};

/// From ports::kernel, which holds the axes' kernel_size in device order, to the spectrum slot. Overwrites work.
void append_filter_setup(const Plan& plan, const FftGeometry& geometry, SlotId work, SlotId spectrum,
                         std::vector<Step>& steps, const KernelRange& which = {});

}  // namespace convoy::inline v0
