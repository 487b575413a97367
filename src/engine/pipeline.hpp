// Tiles through a session: several in flight, host copies beside the device's work.
#pragma once

#include <functional>

#include "backends/backend.hpp"
#include "engine/loaded_plan.hpp"
#include "engine/tile_axes.hpp"
#include "engine/tile_queue.hpp"

namespace convoy {

/// Where a device's tiles come from.
class TileSource {
 public:
  virtual ~TileSource() = default;
  /// How many tiles it begins beyond those that the device has.
  virtual std::size_t tiles_ahead() const = 0;
  /// The tile will be asked for, after those begun before.
  virtual void begin(const TileIndex& tile) = 0;
  /// Fills the set's input port, or lends memory in its place. The sums are those of the tile's own voxels, or nothing
  /// if scan_input() tells them.
  virtual InputSums supply(const TileIndex& tile, int set) = 0;
  /// Called when the tile has been submitted.
  virtual InputSums scan_input(const TileIndex& tile) = 0;
  /// Called when the output of a tile holds NaN or infinity: what no one has looked at yet may hold some, too.
  virtual InputSums look_again() = 0;
  /// What a message says of voxels that cannot be used (require_usable()), when some were met.
  virtual InputSums all_unusable(const InputSums& met) = 0;
};

/// Where they go.
class TileSink {
 public:
  virtual ~TileSink() = default;
  /// Called before the tile is submitted.
  virtual void prepare(const TileIndex& tile, int set) = 0;
  /// Takes the tile's output, waiting for it piece by piece. Throws only before it has changed anything that the tile
  /// cannot be done again for.
  virtual OutputSums take(const TileIndex& tile, int set) = 0;
  /// Sees all tiles that were taken to their end.
  virtual void finish() = 0;
};

/// Takes tiles from the queue, as this worker, until there are none; calls tile_done after each. Leaves
/// TileSink::finish to the caller. Throws Error(invalid_argument) as require_usable() does, and what
/// session, source, sink and tile_done throw; no set is in flight then.
void run_pipeline(const LoadedPlan& loaded, TileQueue& queue, std::size_t worker, TileSource& source, TileSink& sink,
                  const std::function<void()>& tile_done);

}  // namespace convoy
