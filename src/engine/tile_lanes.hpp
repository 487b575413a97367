// Small tiles on the host's threads: each thread takes whole tiles, so that none waits for another within a tile.
#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "base/worker_pool.hpp"
#include "engine/tile_loop.hpp"

namespace convoy::inline v0 {

/// Threads that a run of the plan has for that (planner/layout.hpp: has_lanes()); 1: all work on each tile together.
int num_lanes(const Plan& plan);

/// Calls body(lane) on the pool's threads, on which host_workers() is that thread alone meanwhile: as many times as
/// there are threads, mostly once on each. Lanes are numbered as the threads are; the caller's is 0. Returns when all
/// have; rethrows the first exception.
void for_each_lane(WorkerPool& pool, const std::function<void(int lane)>& body);

/// A loop in each lane over one of the session's sets, all of one queue.
class TileLanes final : public DeviceLoop {
 public:
  /// make_io() -> TileIo, for each lane. The pool has num_lanes() threads. `num_parts`: as in TileLoop.
  TileLanes(const LoadedPlan& loaded, WorkerPool& pool, int num_parts, const std::function<TileIo()>& make_io);

  /// What a lane throws stops the queue.
  void run(TileQueue& queue, std::size_t worker, const std::function<void()>& tile_done) override;

 private:
  WorkerPool& pool_;
  std::vector<TileLoop> loops_;
  std::atomic<Index> num_unreported_{0};
};

}  // namespace convoy::inline v0
