// Exact tiles: the program runs in host memory, or in a scratch file, and its convolutions go through a device in
// tiles.
#pragma once

#include "deconvolution/engine.hpp"

namespace convoy::inline v0 {

std::unique_ptr<DeconvolutionEngine> make_tiled_engine(const EngineTask& task, const Limits& limits,
                                                       DeconvolutionPlan plan);

}  // namespace convoy::inline v0
