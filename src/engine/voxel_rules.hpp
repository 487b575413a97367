// Which voxels a convolution's arithmetic can take, and how exactly it computes.
#pragma once

#include "convoy/plan.hpp"
#include "engine/tile_queue.hpp"

namespace convoy {

struct RunReport;

/// `kernel_magnitude`: sum of the magnitudes of the kernel's voxels, as the device is given them. No sum or product in
/// the transforms of voxels up to VoxelRules::largest overflows. Throws Error(invalid_argument) for a boundary constant
/// beyond it.
VoxelRules voxel_rules(const Plan& plan, double kernel_magnitude);

/// The largest finite number of the arithmetic.
double largest_number(Precision precision);

/// The largest error of an output voxel to expect from rounding: transforms spread it over the whole tile.
double rounding_error(Precision precision, double largest_voxel, double kernel_magnitude);

/// What the voxels of a run revealed.
void set_sums(const TileSums& sums, RunReport& report);

}  // namespace convoy
