// Convoy's own transform passes (fft/passes.hpp) in the place of whole convolutions.
#pragma once

#include "convoy/device.hpp"
#include "program/program.hpp"

namespace convoy::inline v0 {

/// Every TransformKernel and Convolve of Path::native becomes the dispatches of its passes; a slot with their tables is
/// added. Other steps stay as they are.
void lower_native_passes(const Limits& limits, Program& program);

}  // namespace convoy::inline v0
