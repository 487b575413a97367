// What one tile costs: bytes moved, and the seconds that takes.
#pragma once

#include "convoy/device.hpp"
#include "planner/layout.hpp"

namespace convoy::inline v0 {

struct TileCost {
  double traffic_bytes = 0;   ///< device memory, read and written
  double transfer_bytes = 0;  ///< host <-> device, both ways
  double upload_seconds = 0;
  double compute_seconds = 0;
  double download_seconds = 0;
  double once_seconds = 0;  ///< of a run, beside its tiles: until all threads are at work, and all have done it
  int side_by_side = 1;     ///< tiles on which the host's threads work meanwhile, one each

  double seconds() const { return upload_seconds + compute_seconds + download_seconds; }
};

/// Time of a run. One after the other, tiles take the sum of their times; with several in flight a tile follows the one
/// before as soon as the slowest of upload, computing and download allows; side by side, as many as there are threads.
double run_seconds(const TileCost& tile, Index num_tiles, int num_in_flight);

/// The same of a plan; with rates that are guessed where the device reports none (Plan::predicted_seconds is 0 then).
double run_seconds(const Plan& plan);

/// Rates that the device does not report are guessed: good enough to compare plans, not to predict times.
class CostModel {
 public:
  /// `resident`: tiles are copied within the device, not from and to the host.
  explicit CostModel(const Limits& limits, bool resident = false);

  /// `downloaded` counts the voxels that come back.
  /// With several in flight where these are lanes (has_lanes()): of a tile on which one thread works.
  TileCost tile(const TileLayout& layout, double downloaded, int num_in_flight = 1) const {
    return tile(layout, downloaded, num_in_flight, false);
  }
  /// The same of a tile that has been chosen: it is asked as well whether rows and columns meet in the device's cache
  /// (fused_planes_profitable()), which is too much to ask of every candidate, and much the same for all.
  TileCost chosen_tile(const TileLayout& layout, double downloaded, int num_in_flight) const;
  /// Of passes that only stream so many bytes through device memory.
  double streaming_seconds(double bytes) const { return bytes / memory_bytes_per_second_; }
  /// Whether seconds rest on rates that the device reported.
  bool predicts() const { return predicts_; }

 private:
  TileCost tile(const TileLayout& layout, double downloaded, int num_in_flight, bool meets_in_cache) const;
  TileCost on_host(const TileLayout& layout, double downloaded, int num_in_flight) const;
  TileCost lines(const TileLayout& layout, double downloaded) const;
  TileCost tiles_in_one_launch(const TileLayout& layout, double downloaded) const;
  TileCost tile_without_transforms(const TileLayout& layout, double downloaded) const;
  TileCost sums_of_arrays(const TileLayout& layout) const;
  double products_per_second(Precision precision) const;
  double threads_of_tile(int num_in_flight) const;
  TileCost with_transfers(TileCost cost, const TileLayout& layout, double downloaded) const;

  Limits limits_;
  bool predicts_;
  double memory_bytes_per_second_;
  double transfer_seconds_per_byte_;
  double overhead_seconds_;
  bool resident_;
};

}  // namespace convoy::inline v0
