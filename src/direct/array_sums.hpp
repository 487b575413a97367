// Convolutions without transforms of arrays that lie on the device: read through the boundary, summed up, written, in
// one launch.
#pragma once

#include <array>
#include <vector>

#include "direct/sum_shape.hpp"
#include "program/program.hpp"

namespace convoy::inline v0 {

/// For every voxel b of the output
///   output[b] = sum over t < size of taps[t] * image[b + size - 1 - t]
/// with positions of the image counted from `begin` of its axes, of each image of the arrays; all in device order.
struct ArraySums {
  Precision precision = Precision::f32;
  TileAccess image;   ///< one tile, which shows all that the outputs read
  TileAccess output;  ///< one tile
  SlotId image_slot = 0;
  SlotId taps_slot = 0;
  SlotId output_slot = 0;
  std::array<Index, 3> size{1, 1, 1};
  /// Products that the filter is the sum of: taps are those along axis 0, then 1, then 2, of one product after the
  /// other. 0: taps of the filter as it is, axis 0 fastest.
  int num_terms = 0;
  /// The taps, if they are known: launches then carry them as parameters, where the device takes so many, and threads
  /// need neither registers nor reads for them. Else they are read from their slot.
  std::vector<float> taps{};
  SumTuning tuning{};
};

/// The one launch; sum_shape() must have a shape for it. Throws Error(invalid_argument) for an impossible tuning.
Dispatch array_sums(const ArraySums& sums, const Limits& limits);

}  // namespace convoy::inline v0
