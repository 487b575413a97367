// One axis: what it has to compute, and the ways to cut and pad it.
#pragma once

#include <vector>

#include "convoy/plan.hpp"
#include "planner/lengths.hpp"

namespace convoy::inline v0 {

/// What the device finds outside the image on an axis.
enum class Outside {
  zero,      ///< nothing: what the image slot's zero padding already says
  boundary,  ///< voxels that the executor gathers by the boundary's rule
  repeated   ///< the image again: what a transform of the image's own length says
};

struct AxisTask {
  AxisPlan plan;  ///< everything but tiles and padding is filled in
  Outside outside = Outside::zero;
};

/// The spec's origin must be resolved: any rule but peak.
AxisTask axis_task(const ConvolutionSpec& spec, int axis);

/// Whether the device's output lies on the extended image and is folded back (Plan::fold_output).
bool folds_output(const ConvolutionSpec& spec);

/// The whole axis as one tile, not yet padded, of which the transform's period may be any that is long enough.
AxisPlan in_one_tile(const AxisTask& task);

/// The longest transform that any option of the task may ask for.
Index longest_needed(const AxisTask& task);

/// The least period whose wrapped copies of the kernel reach no output voxel of a tile (the image's, if periodic).
Index required_period(const AxisPlan& plan);

struct CuttingRules {
  bool all_tile_counts = false;  ///< also those that no plan would choose
  Index tile_output = 0;         ///< no other tiles than these; 0: any
  Index chunk = 1;               ///< tiles are multiples of it, where a transform's length leaves room for that
  bool few_tile_counts = false;  ///< where many cost more time to look at than the best of them saves
  bool fill_lines = false;       ///< tiles that fill the lengths which lines (fft/plan.hpp) take best, too
};

/// Ways to cut and pad, none better than another in every respect unless the rules say so; the unsplit ones come first.
/// Empty when the device can transform none of them.
std::vector<AxisPlan> axis_options(const AxisTask& task, const TransformLengths& lengths, const CuttingRules& rules);

/// The same where nothing is transformed: tiles read all that their outputs need, and are padded to nothing.
std::vector<AxisPlan> direct_axis_options(const AxisTask& task, const CuttingRules& rules);

}  // namespace convoy::inline v0
