// The ways to lay a deconvolution on a device. Specs must be settled (spec.hpp), their origins resolved.
#pragma once

#include <string>

#include "convoy/deconvolution.hpp"

namespace convoy::inline v0 {

/// Everything on the device at once. Throws OutOfMemory when it does not fit, Error(unsupported) when a transform is
/// longer than the device's longest.
DeconvolutionPlan make_whole_plan(const DeconvolutionSpec& spec, const Limits& limits, const PlanOptions& options);

/// Each convolution in tiles; `why` goes into the reasons. Throws what make_plan for a convolution throws.
DeconvolutionPlan make_tiled_plan(const DeconvolutionSpec& spec, const Limits& limits, const PlanOptions& options,
                                  const std::string& why);

/// Of blur and adjoint of exact tiles, each with half of the device's memory and of what the arrays between them leave
/// of the host's. The plan's spec, axes and budget must be set.
PlanOptions options_of_convolutions(const DeconvolutionPlan& plan, const Limits& limits, const PlanOptions& options);

/// The cores of a convolution's tiles, where it is in tiles.
std::optional<Shape> cores_of(const Plan& plan);

/// Fills in the ledgers of exact tiles and their sums, from the plans of blur and adjoint.
void set_ledgers_of_tiled(const Limits& limits, const PlanOptions& options, DeconvolutionPlan& plan);

/// Whole iterations in tiles that fit, each with a halo; throws what make_whole_plan throws when not even the smallest
/// do.
DeconvolutionPlan make_fast_plan(const DeconvolutionSpec& spec, const Limits& limits, const PlanOptions& options,
                                 const std::string& why);

/// Why the tiles of several devices are what they are.
inline constexpr const char* kCutAlike = "all are cut alike";

/// In these tiles; `why` goes into the reasons. Throws what make_whole_plan throws when one of them does not fit.
DeconvolutionPlan make_fast_plan_of(const DeconvolutionSpec& spec, const FastTiling& tiling, const Limits& limits,
                                    const PlanOptions& options, const std::string& why);

/// The deconvolution of one of its tiles.
DeconvolutionSpec spec_of_tile(const DeconvolutionPlan& plan);

bool can_be_tiled(const DeconvolutionSpec& spec);

/// The convolution of the frame with the PSF.
ConvolutionSpec convolution_of(const DeconvolutionSpec& spec, const Shape& frame, Operation operation);

std::array<FrameAxis, 3> frame_axes(const DeconvolutionSpec& spec);

}  // namespace convoy::inline v0
