// The tiles of a run that are still to be done, for one device or several.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <vector>

#include "convoy/shape.hpp"
#include "exec/voxel_sums.hpp"

namespace convoy {

/// What is known of a tile when it is done.
struct TileSums {
  InputSums inputs;
  OutputSums outputs;
};

/// For use by several threads, one a worker; workers are numbered from 0.
class TileQueue {
 public:
  TileQueue(std::vector<Index> tiles, std::size_t num_workers);

  /// Before a worker's first tile.
  void join(std::size_t worker);
  /// The worker's next tile. Nothing when all are taken or the run is stopped; nor while the others, at the rates shown
  /// so far, will have done all that waits before this worker could do one tile more. With `wait` blocks until there is
  /// one or no more can come: what others have taken may be given back.
  std::optional<Index> take(std::size_t worker, bool wait);
  void done(std::size_t worker, Index tile, const TileSums& sums);
  /// The worker takes no more. What it has not done waits for others again.
  void leave(std::size_t worker);
  /// Ends the run for all; the first reason is kept.
  void stop(std::exception_ptr reason);
  bool stopped() const;

  /// Blocks until more than `known` tiles are done, the run is stopped, or no worker is left; returns how many are.
  Index wait_for_more_than(Index known) const;
  /// When no worker is left: throws the reason for which the run was stopped, if it was.
  void rethrow() const;
  /// Tiles that nobody has done.
  Index num_left() const;
  Index num_done_by(std::size_t worker) const;
  TileSums sums() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Worker {
    bool joined = false;
    Clock::time_point since;
    std::vector<Index> taken;
    Index num_done = 0;
    double seconds_a_tile = 0;  ///< 0 while unknown

    double seconds_for(Index tiles) const { return seconds_a_tile * static_cast<double>(tiles); }
    Index num_taken() const { return static_cast<Index>(taken.size()); }
  };

  bool others_are_sooner(const Worker& self) const;
  bool may_take(const Worker& self) const { return !waiting_.empty() && !others_are_sooner(self); }
  bool others_hold_some(const Worker& self) const;

  mutable std::mutex mutex_;
  mutable std::condition_variable news_;
  std::deque<Index> waiting_;
  std::vector<Worker> workers_;
  Index num_done_ = 0;
  TileSums sums_;
  bool stopped_ = false;
  std::exception_ptr reason_;
};

}  // namespace convoy
