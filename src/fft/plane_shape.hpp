// How workgroups do the rows and the columns of planes in one launch (KernelSpec::uses_tickets).
#pragma once

#include "fft/geometry.hpp"
#include "fft/shape.hpp"

namespace convoy::inline v0 {

/// Of a workgroup that does pairs of rows under one ticket and columns under another, with the same threads.
struct PlaneShape {
  PassShape rows;
  PassShape columns;
  Index groups = 1;  ///< that a multiprocessor shall hold at once
  Index threads() const { return columns.width * columns.threads; }
  Index num_shared() const;
  /// Pairs of rows are whole warps, and few enough for barriers of their own.
  bool pairs_are_warps() const;
  /// Workgroups that the rows, and the columns, of a plane take.
  Index row_groups(Index rows_per_plane) const;
  Index column_groups(Index num_columns) const;
};

/// For columns `width_bytes` wide. Nothing where a workgroup does not fit.
std::optional<PlaneShape> plane_shape(Index row_length, Index column_length, std::uint64_t width_bytes,
                                      Precision precision, const Limits& limits);

/// The workgroups of `producers` and `consumers` a plane, evenly mixed, in periods of one plane's. Those that wait are
/// `lead` of their own kind behind: the last maker of a plane has then ended when its first waiter begins.
struct PlaneSchedule {
  Index producers = 1;
  Index consumers = 1;
  Index lead = 1;

  Index period() const { return producers + consumers; }
  Index num_tickets(Index num_planes) const { return period() * (num_planes + ceil_divided(lead, consumers)); }
  /// How many planes are between making and waiting.
  double num_planes_held() const { return static_cast<double>(lead) / static_cast<double>(consumers); }
};

/// Of planes of `extent` (device order): rows make what columns wait for, or the other way round.
PlaneSchedule schedule_of_planes(const PlaneShape& shape, bool rows_make, const std::array<Index, 3>& extent,
                                 Precision precision, const Limits& limits);

/// Whether a tile's planes (device order) are best done so: its rows leave for its columns what the device's last cache
/// still holds then, and the memory is not known to be faster.
bool fused_planes_profitable(const PlaneShape& shape, const std::array<Index, 3>& extent, Precision precision,
                             const Limits& limits);
/// The same of a batch of native tiles by the workgroups that its columns' common width gives.
bool fused_planes_profitable(const FftGeometry& geometry, const Limits& limits);
/// All planes of a batch, as if they were those of one tile.
std::array<Index, 3> planes_of_batch(const FftGeometry& geometry);

/// Of the counters that tickets and planes take; 0 on devices whose workgroups may not wait.
std::uint64_t plane_counters_bytes(const FftGeometry& geometry, const Limits& limits);

}  // namespace convoy::inline v0
