// Work that devices share: numbered pieces (tiles, or convolutions of parts), each done by whichever device is free.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "convoy/convolution.hpp"
#include "engine/device_pool.hpp"
#include "engine/voxel_sums.hpp"

namespace convoy::inline v0 {

/// The tiles of a run: numbers from 0, of which those that `held` names need not be done. They are never listed: there
/// may be more of them than memory has room for.
struct RunTiles {
  Index count = 0;
  std::function<bool(Index tile)> held;  ///< none if empty; asked once for each, by one thread at a time
  /// A tile is taken only when fewer than so many lie between it and the first that is not done. 0: any.
  Index window = 0;
};

/// For use by several threads, one a worker; workers are numbered from 0.
class TileQueue {
 public:
  TileQueue(RunTiles tiles, std::size_t num_workers);

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
  /// Tiles that are neither done nor held.
  Index num_left() const;
  /// Tiles that were held, of those that have come up so far.
  Index num_held() const;
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
  bool may_take(const Worker& self) { return !none_waits() && is_in_window() && !others_are_sooner(self); }
  bool is_in_window() const;
  void note_done(Index tile);
  bool none_waits();
  Index num_waiting() const { return static_cast<Index>(given_back_.size()) + tiles_.count - next_; }
  bool others_hold_some(const Worker& self) const;

  mutable std::mutex mutex_;
  mutable std::condition_variable news_;
  RunTiles tiles_;
  Index next_ = 0;  // of those that no device has taken yet
  Index num_held_ = 0;
  bool next_waits_ = false;  // it is known not to be held
  std::deque<Index> given_back_;
  Index first_undone_ = 0;      // with a window: all before it are done or held
  std::set<Index> done_after_;  // with a window: those behind it that are, too
  std::vector<Worker> workers_;
  Index num_done_ = 0;
  TileSums sums_;
  bool stopped_ = false;
  std::exception_ptr reason_;
};

/// What one device does in a run.
class DeviceLoop {
 public:
  virtual ~DeviceLoop() = default;
  /// Takes pieces from the queue, as this worker, until there are none; calls `piece_done` after each. Whatever it
  /// throws, its session has nothing in flight afterwards.
  virtual void run(TileQueue& queue, std::size_t worker, const std::function<void()>& piece_done) = 0;
};
/// One for each device of a run that works, at the device's place; null for the others.
using DeviceLoops = std::vector<std::unique_ptr<DeviceLoop>>;

/// make(device) for each that works.
template <class Make>
DeviceLoops loops_of(const std::vector<PreparedDevice>& devices, const Make& make) {
  DeviceLoops loops;
  for (const PreparedDevice& one : devices) {
    loops.push_back(one.works() ? std::unique_ptr<DeviceLoop>(make(one)) : nullptr);
  }
  return loops;
}

/// One run.
class Scheduler {
 public:
  /// Throws Error(unsupported) in a forked child of the process that opened the devices, where they do not survive
  /// that.
  Scheduler(std::vector<PreparedDevice>& devices, RunTiles pieces, const ConvolverOptions& options);

  /// A lone device works on the calling thread, several on one each. A device that fails is dropped
  /// (PreparedDevice::problem), gives its memory back, and its pieces are done by the others; throw_no_device_left()
  /// when none is left. Throws Error(cancelled), and what loops throw and drops no device.
  void run(const DeviceLoops& loops);

  /// All of the report but elapsed_seconds. `more`: of outputs that were written after the run.
  RunReport report(const OutputSums& more = {}) const;

 private:
  using Clock = std::chrono::steady_clock;

  std::vector<std::size_t> working() const;
  void run_on_threads(const DeviceLoops& loops, const std::vector<std::size_t>& places);
  void run_loop(DeviceLoop& loop, std::size_t i, const std::function<void()>& piece_done);
  void release_dropped();
  [[noreturn]] void end_without_device();
  void run_alone(DeviceLoop& loop, std::size_t i);
  void report_progress(Index done);
  void report_part(double part_of_next);
  bool goes_on(Index done, double part_of_next) const;

  std::vector<PreparedDevice>& devices_;
  const ConvolverOptions& options_;
  Index num_pieces_;
  TileQueue queue_;
  Index num_reported_ = 0;
  Clock::time_point start_ = Clock::now();
};

}  // namespace convoy::inline v0
