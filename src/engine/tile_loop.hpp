// Tiles through a device's session: several in flight, host copies beside the device's work.
#pragma once

#include <deque>
#include <vector>

#include "base/work_meter.hpp"
#include "engine/scheduler.hpp"
#include "engine/tile_geometry.hpp"

namespace convoy::inline v0 {

/// Where a device's tiles come from.
class TileSource {
 public:
  virtual ~TileSource() = default;
  /// How many tiles it begins beyond those that the device has.
  virtual std::size_t tiles_ahead() const = 0;
  /// The tile will be asked for, after those begun before.
  virtual void begin(const TileIndex& tile) = 0;
  /// Called for each part of a tile in turn. Fills the set's input port, or lends memory in its place. The sums are
  /// those of the tile's own voxels, or nothing if scan_input() returns them.
  virtual InputSums supply(const TileIndex& tile, int set) = 0;
  /// Of a tile that was supplied: the outputs that shall be NaN, as find_holes() has them.
  virtual std::vector<Index> holes(const TileIndex& tile) = 0;
  /// Called when the tile has been submitted.
  virtual InputSums scan_input(const TileIndex& tile) = 0;
  /// Called when the output of a tile holds NaN or infinity: what has not been scanned yet may hold some, too.
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
  /// Takes the tile's output, part by part, waiting for it piece by piece; `holes` of the last part become NaN. Throws
  /// only before it has changed anything that the tile cannot be done again for.
  virtual OutputSums take(const TileIndex& tile, int set, std::vector<Index> holes) = 0;
  /// Sees all tiles that were taken to their end.
  virtual void finish() = 0;
};

/// A device's ends of a run.
struct TileIo {
  std::unique_ptr<TileSource> source;
  std::unique_ptr<TileSink> sink;
};

/// Of one run. Sees the sink's tiles to their end when there are no more, and when the device must be dropped. Throws
/// Error(invalid_argument) as require_usable() does, and what session, source and sink throw.
class TileLoop final : public DeviceLoop {
 public:
  /// `num_parts`: how often each tile is convolved.
  TileLoop(const LoadedPlan& loaded, TileIo io, int num_parts = 1)
      : TileLoop(loaded, std::move(io), num_parts, 0, loaded.program.num_in_flight) {}
  /// With these of the session's sets.
  TileLoop(const LoadedPlan& loaded, TileIo io, int num_parts, int first_set, int num_sets)
      : plan_(loaded.plan),
        num_parts_(num_parts),
        session_(*loaded.session),
        first_set_(first_set),
        num_sets_(static_cast<std::size_t>(num_sets)),
        source_(std::move(io.source)),
        sink_(std::move(io.sink)) {}

  void run(TileQueue& queue, std::size_t worker, const std::function<void()>& tile_done) override;

 private:
  struct Flight {
    Index tile = 0;
    int part = 0;
    int set = 0;
    InputSums inputs;
    std::vector<Index> holes;
  };

  void begin_tiles(TileQueue& queue, std::size_t worker);
  void submit();
  /// Whether that was a tile's last part.
  bool finish(TileQueue& queue, std::size_t worker);
  void require_usable(const InputSums& met) const;
  void wait_for_all();
  void drain();

  TileIndex place_of(const Flight& flight) const;
  WorkPart part_of_tile(const Flight& flight) const;

  const Plan& plan_;
  int num_parts_;
  backend::Session& session_;
  int first_set_;
  std::size_t num_sets_;
  std::unique_ptr<TileSource> source_;
  std::unique_ptr<TileSink> sink_;
  std::size_t num_submitted_ = 0;
  std::deque<Index> begun_;
  int next_part_ = 0;  // of the first that has begun
  TileSums of_tile_;   // of its parts that are done
  std::deque<Flight> flying_;
};

}  // namespace convoy::inline v0
