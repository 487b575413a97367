// The run of a plan's tiles through a session: several in flight, host copies beside the device's work.
#pragma once

#include "backends/backend.hpp"
#include "convoy/convolution.hpp"
#include "exec/loaded_plan.hpp"
#include "exec/tile_axes.hpp"
#include "exec/voxel_sums.hpp"

namespace convoy {

/// Where the tiles' inputs come from.
class TileSource {
 public:
  virtual ~TileSource() = default;
  /// Fills the set's input port, or lends memory in its place. The sums are those of the tile's own voxels, or nothing
  /// if look_through() tells them.
  virtual InputSums supply(const TileIndex& tile, int set) = 0;
  /// Called when the tile has been submitted.
  virtual InputSums look_through(const TileIndex& tile) = 0;
  /// What to tell of non-finite voxels, when some were met.
  virtual InputSums all_non_finite(const InputSums& met) = 0;
};

/// Where the tiles' outputs go.
class TileSink {
 public:
  virtual ~TileSink() = default;
  /// Called before the tile is submitted.
  virtual void prepare(const TileIndex& tile, int set) = 0;
  /// Takes the tile's output, waiting for it piece by piece.
  virtual OutputSums take(const TileIndex& tile, int set) = 0;
  /// Called after the last tile.
  virtual OutputSums finish() = 0;
};

/// Runs these tiles of the plan; fills in all of the report but elapsed_seconds and peak_device_bytes. `device_bytes`
/// tells what the device holds, for options.trace_memory. Throws Error(invalid_argument) for non-finite voxels as the
/// spec says, Error(cancelled), and what session, source and sink throw; no set is in flight then.
RunReport run_tiles(const LoadedPlan& loaded, const std::vector<Index>& tiles, const ConvolverOptions& options,
                    TileSource& source, TileSink& sink, const std::function<std::uint64_t()>& device_bytes);

/// 0, 1 ... plan.num_tiles() - 1.
std::vector<Index> all_tiles(const Plan& plan);

}  // namespace convoy
