// GPU kernels of direct convolutions, made for the size of their taps.
#pragma once

#include <optional>

#include "convoy/device.hpp"
#include "program/program.hpp"

namespace convoy::inline v0 {

/// The step as one launch of such a kernel: a workgroup holds a box of a plane in shared memory, each thread makes two
/// outputs of several rows in registers, and goes on from plane to plane. Nothing for taps that are too many, or if the
/// device's shared memory is too small.
std::optional<Dispatch> tuned_direct_dispatch(const ConvolveDirect& step, const Limits& limits);

}  // namespace convoy::inline v0
