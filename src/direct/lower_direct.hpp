// Direct convolutions of a program as dispatches of GPU kernels.
#pragma once

#include "convoy/device.hpp"
#include "program/program.hpp"

namespace convoy::inline v0 {

/// The step as a thread for each output, whatever its taps.
Dispatch direct_dispatch(const ConvolveDirect& step);

/// On GPUs; the CPU does the steps as they are.
void lower_direct_steps(const Limits& limits, Program& program);

}  // namespace convoy::inline v0
