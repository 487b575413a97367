// Workgroups of sums that read and write arrays on the device: what a workgroup and a thread compute.
#pragma once

#include <array>
#include <optional>

#include "convoy/advanced/plan_options.hpp"
#include "convoy/device.hpp"
#include "fft/geometry.hpp"
#include "fft/shape.hpp"

namespace convoy::inline v0 {

/// Workgroups along one axis of a launch, at most; more go to the next axis.
inline constexpr Index kGroupsAcross = 32768;
/// Where the device does not tell.
inline constexpr Index kUsualMultiprocessors = 64;
/// Products of a thread that are written out one by one, at most, and those beyond which it makes fewer rows.
inline constexpr Index kMostProducts = 2048;
inline constexpr Index kUsualProducts = 1600;
/// Taps of the filter itself that a thread keeps in registers where they are no parameters.
inline constexpr Index kTapsInRegisters = 64;

/// A workgroup holds a box of a plane in shared memory, of which it makes 2 * threads_x outputs of threads_y * rows
/// rows, and goes on from plane to plane where the filter has several.
struct SumShape {
  Index threads_x = 32;
  Index threads_y = 8;
  Index rows = 1;  ///< that a thread makes two neighbouring outputs of
  Index run = 8;   ///< separable: outputs of a row that a thread makes for the columns that follow

  Index tile_x() const { return 2 * threads_x; }
  Index tile_y() const { return threads_y * rows; }
  Index num_threads() const { return threads_x * threads_y; }
};

/// What a shape is made for, in device order.
struct SumSize {
  std::array<Index, 3> taps{1, 1, 1};
  int num_terms = 0;  ///< products that the filter is the sum of; 0: it is summed over as it is
  Precision precision = Precision::f32;

  bool is_separable() const { return num_terms > 0; }
  bool marches() const { return taps[2] > 1; }
  Index num_taps() const;
};

/// How a workgroup's shared memory is filled, in pairs of reals.
struct SumMemory {
  Index box_x;      ///< pairs of a row of the box
  Index box_y;      ///< rows of the box
  Index num_boxes;  ///< two where the next plane is stored while others still read this one
  Index middle_x;   ///< pairs of a row that has been summed up along x; 0: no such rows
  Index first_tap;  ///< where taps begin that are no parameters
  Index total;      ///< with them

  Index box() const { return box_x * box_y; }
  Index first_middle() const { return box() * num_boxes; }
};
SumMemory sum_memory(const SumSize& size, const SumShape& shape);

/// Nothing for filters of which a thread would have too much to do, and if the device's shared memory is too small.
std::optional<SumShape> sum_shape(const SumSize& size, const std::array<Index, 3>& outputs, const Limits& limits,
                                  const SumTuning& tuning = {});
/// Of a tile that is summed up: whether there is any.
std::optional<SumShape> sum_shape(const FftGeometry& tile, const Limits& limits);

}  // namespace convoy::inline v0
