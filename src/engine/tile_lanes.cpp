#include "engine/tile_lanes.hpp"

#include <algorithm>
#include <utility>

#include "base/work_meter.hpp"
#include "planner/layout.hpp"

namespace convoy::inline v0 {

int num_lanes(const Plan& plan) {
  return has_lanes(plan.limits) ? std::min(plan.num_in_flight, host_workers().num_threads()) : 1;
}

void for_each_lane(WorkerPool& pool, const std::function<void(int lane)>& body) {
  const WorkMeter unmetered;  // lanes do many tiles at once
  // A thread that comes late may find its lane's place in the loop taken: what it would have done is done then.
  pool.for_each(pool.num_threads(), 1, [&](int worker, std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      WorkerPool alone(WorkerPool::Alone{worker});
      const UseWorkers use(alone);
      body(worker);
    }
  });
}

TileLanes::TileLanes(const LoadedPlan& loaded, WorkerPool& pool, int num_parts, const std::function<TileIo()>& make_io)
    : pool_(pool) {
  loops_.reserve(static_cast<std::size_t>(pool.num_threads()));
  for (int lane = 0; lane < pool.num_threads(); ++lane) loops_.emplace_back(loaded, make_io(), num_parts, lane, 1);
}

/// Tiles are reported on the calling thread: after each of its own those that others have done meanwhile, too.
void TileLanes::run(TileQueue& queue, std::size_t worker, const std::function<void()>& tile_done) {
  const auto report = [&] {
    for (Index left = num_unreported_.exchange(0); left > 0; --left) tile_done();
  };
  for_each_lane(pool_, [&](int lane) {
    try {
      loops_[static_cast<std::size_t>(lane)].run(queue, worker, [&] {
        ++num_unreported_;
        if (lane == 0) report();
      });
    } catch (...) {
      queue.stop(std::current_exception());
    }
  });
  if (!queue.stopped()) report();
}

}  // namespace convoy::inline v0
