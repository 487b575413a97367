// A run of tiles on one device or several.
#pragma once

#include "engine/pipeline.hpp"
#include "engine/prepared_devices.hpp"

namespace convoy {

/// Where all devices' tiles come from.
class RunInput {
 public:
  virtual ~RunInput() = default;
  virtual std::unique_ptr<TileSource> source(const PreparedDevice& on) = 0;
};

/// Where they go.
class RunOutput {
 public:
  virtual ~RunOutput() = default;
  virtual std::unique_ptr<TileSink> sink(const PreparedDevice& on) = 0;
  /// Called once, after the last tile of the last device.
  virtual OutputSums complete() { return {}; }
};

/// Runs these tiles of the devices' common tiling. Fills in all of the report but elapsed_seconds. Of several devices
/// one that fails is dropped (PreparedDevice::problem), gives its memory back, and its tiles are done by the others;
/// throw_no_device_left() when none is left. Throws Error(invalid_argument) for non-finite voxels as the spec says,
/// Error(cancelled), and what input and output throw. Whatever happens, no session has anything in flight afterwards.
RunReport run_tiles(std::vector<PreparedDevice>& devices, RunTiles tiles, const ConvolverOptions& options,
                    RunInput& input, RunOutput& output);

}  // namespace convoy
